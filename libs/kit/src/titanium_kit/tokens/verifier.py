"""Verifies access tokens with auth's published keys and its list of revoked sessions.

Nobody calls auth on a request: the keys are cached and fetched again every `REFRESH_EVERY`
seconds and for an unknown `kid` (at most once in `REFETCH_AFTER` seconds), revocations are polled.
A verifier that has not heard from auth for `MAX_SILENCE` seconds answers 503, so that a partition
cannot keep a revoked token alive.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from typing import Any, Protocol

import jwt

from titanium_kit.background import Background
from titanium_kit.logs import get_logger
from titanium_kit.problems import Problem, Unauthorized, Unavailable
from titanium_kit.settings import ServiceSettings
from titanium_kit.tokens.claims import Identity, InvalidTokenError, check_token, read_header

logger = get_logger(__name__)

POLL_EVERY = 0.4
MAX_SILENCE = 10.0
REFETCH_AFTER = 5.0
RETRY_AFTER = 0.5
REFRESH_EVERY = 300.0
REMEMBERED_TOKENS = 10_000
# What a peer that answers with something else can cause here, besides not answering at all.
UNUSABLE = (Problem, jwt.PyJWTError, LookupError, TypeError, AttributeError, ValueError)


class TokenSource(Protocol):
    """Where keys and revocations come from: auth, over the mesh or in the same process."""

    async def jwks(self) -> dict[str, Any]:
        """The JSON Web Key Set (RFC 7517)."""

    async def revocations(self, after: int) -> dict[str, Any]:
        """`{"last": int, "revoked": [{"sid": str, "until": seconds since the epoch}]}`."""


class TokenVerifier:
    """Turns a bearer token into an `Identity`."""

    name = "tokens"
    required = False

    def __init__(self, settings: ServiceSettings, source: TokenSource) -> None:
        self._issuer = settings.token_issuer
        self._audience = settings.token_audience
        self._source = source
        self._keys: dict[str, jwt.PyJWK] = {}
        self._revoked: dict[str, float] = {}
        self._last = 0
        # Moments of the monotonic clock, which may be near zero on a machine just booted.
        self._fetched = self._fetch_failed = -math.inf
        self._heard = self._update_failed = -math.inf
        self._fetching = asyncio.Lock()
        self._updating = asyncio.Lock()
        self._known: OrderedDict[str, Identity] = OrderedDict()
        self._task = Background("revocations", self._poll)

    async def start(self) -> None:
        self._task.start()

    async def stop(self) -> None:
        await self._task.stop()

    async def check(self) -> None:
        """Raises when auth has been silent for too long to trust what is known."""
        if self._silent:
            raise Unavailable("auth has not been heard of")

    @property
    def _silent(self) -> bool:
        return time.monotonic() - self._heard > MAX_SILENCE

    async def verify(self, token: str) -> Identity:
        """Who `token` speaks for.

        Raises `Unauthorized` when the token is bad, expired or revoked, and `Unavailable` when
        that cannot be told.
        """
        try:
            identity = self._known.get(token) or await self._check(token)
        except InvalidTokenError as error:
            raise Unauthorized(str(error), error="invalid_token") from None
        if identity.expires <= time.time():
            self._known.pop(token, None)
            raise Unauthorized("The token has expired.", error="invalid_token")
        if self._silent:
            await self._update_or_refuse()
        if identity.session_id in self._revoked:
            raise Unauthorized("The session has ended. Log in again.", error="invalid_token")
        return identity

    async def _check(self, token: str) -> Identity:
        kid = read_header(token)["kid"]
        key = self._keys.get(kid) or await self._fetch(kid)
        identity = check_token(token, key, issuer=self._issuer, audience=self._audience)
        self._known[token] = identity
        while len(self._known) > REMEMBERED_TOKENS:
            self._known.popitem(last=False)
        return identity

    async def _fetch(self, kid: str) -> jwt.PyJWK:
        """The key that this process does not know yet. Callers wait for one request together."""
        async with self._fetching:
            if kid not in self._keys and time.monotonic() - self._fetched >= REFETCH_AFTER:
                await self._refresh_keys()
        if kid not in self._keys:
            raise InvalidTokenError("The token is signed with an unknown key.")
        return self._keys[kid]

    async def _refresh_keys(self) -> None:
        """Ask auth for its keys. Raises `Unavailable`, for a moment without asking again."""
        if time.monotonic() - self._fetch_failed < RETRY_AFTER:
            raise Unavailable("Tokens cannot be checked right now. Try again in a moment.")
        try:
            document = await self._source.jwks()
            keys = {
                key["kid"]: jwt.PyJWK(key)
                for key in document["keys"]
                if key.get("kty") == "OKP" and key.get("use", "sig") == "sig"
            }
        except UNUSABLE as error:
            self._fetch_failed = time.monotonic()
            raise Unavailable("Tokens cannot be checked right now.") from error
        if self._keys.keys() - keys.keys():
            self._known.clear()  # a withdrawn key takes the tokens that it signed with it
        self._keys = keys
        self._fetched = time.monotonic()

    async def _update_or_refuse(self) -> None:
        async with self._updating:
            if self._silent and time.monotonic() - self._update_failed >= RETRY_AFTER:
                try:
                    await self._update()
                except UNUSABLE:
                    self._update_failed = time.monotonic()
        if self._silent:
            raise Unavailable("Sessions cannot be checked right now. Try again in a moment.")

    async def _update(self) -> None:
        asked = time.monotonic()
        news = await self._source.revocations(self._last)
        if news["last"] < self._last:  # auth's database is an older one now: read it all again
            news = await self._source.revocations(0)
        self._revoked.update({item["sid"]: float(item["until"]) for item in news["revoked"]})
        if len(self._revoked) > 100:
            now = time.time()
            self._revoked = {sid: end for sid, end in self._revoked.items() if end > now}
        self._last = int(news["last"])
        self._heard = asked

    async def _poll(self) -> None:
        silent = False
        while True:
            try:
                async with self._updating:
                    await self._update()
                if time.monotonic() - self._fetched >= REFRESH_EVERY:
                    async with self._fetching:
                        await self._refresh_keys()
                silent = False
            except UNUSABLE as error:
                if not silent:
                    logger.warning("revocations_unknown", reason=type(error).__name__)
                silent = True
            await asyncio.sleep(POLL_EVERY)
