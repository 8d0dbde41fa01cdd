"""Verifies access tokens with auth's published keys and its list of revoked sessions.

Nobody calls auth on a request: the keys are cached and fetched again for an unknown `kid` (at
most once in `REFETCH_AFTER` seconds), revocations are polled. A verifier that has not heard from
auth for `MAX_SILENCE` seconds answers 503, so that a partition cannot keep a revoked token alive.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from contextlib import suppress
from typing import Any, Protocol

import jwt

from titanium_kit.logs import get_logger
from titanium_kit.problems import Problem, Unauthorized, Unavailable
from titanium_kit.settings import ServiceSettings
from titanium_kit.tokens.claims import Identity, InvalidTokenError, check_token, read_header

logger = get_logger(__name__)

POLL_EVERY = 0.4
MAX_SILENCE = 10.0
REFETCH_AFTER = 5.0
REMEMBERED_TOKENS = 10_000


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
        self._fetched = 0.0
        self._fetching = asyncio.Lock()
        self._revoked: dict[str, float] = {}
        self._last = 0
        self._heard = 0.0
        self._known: OrderedDict[str, Identity] = OrderedDict()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._poll(), name="revocations")

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def check(self) -> None:
        """Raises when auth has been silent for too long to trust what is known."""
        if time.monotonic() - self._heard > MAX_SILENCE:
            raise Unavailable("auth has not been heard of")

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
        if time.monotonic() - self._heard > MAX_SILENCE:
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
        async with self._fetching:
            if kid not in self._keys and time.monotonic() - self._fetched >= REFETCH_AFTER:
                document = await self._source.jwks()
                self._keys = {
                    key["kid"]: jwt.PyJWK(key)
                    for key in document.get("keys", [])
                    if key.get("kty") == "OKP" and key.get("use", "sig") == "sig"
                }
                self._fetched = time.monotonic()
        if kid not in self._keys:
            raise InvalidTokenError("The token is signed with an unknown key.")
        return self._keys[kid]

    async def _update_or_refuse(self) -> None:
        with suppress(Problem):
            await self._update()
        if time.monotonic() - self._heard > MAX_SILENCE:
            raise Unavailable("Sessions cannot be checked right now. Try again in a moment.")

    async def _update(self) -> None:
        news = await self._source.revocations(self._last)
        now = time.time()
        for item in news["revoked"]:
            self._revoked[item["sid"]] = item["until"]
        if len(self._revoked) > 100:
            self._revoked = {sid: end for sid, end in self._revoked.items() if end > now}
        self._last = news["last"]
        self._heard = time.monotonic()

    async def _poll(self) -> None:
        silent = False
        while True:
            try:
                await self._update()
                silent = False
            except (Problem, KeyError, TypeError) as error:
                if not silent:
                    logger.warning("revocations_unknown", reason=type(error).__name__)
                silent = True
            await asyncio.sleep(POLL_EVERY)
