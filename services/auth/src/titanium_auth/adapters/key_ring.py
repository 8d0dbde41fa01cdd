"""The keys in use by this process: what signs, and what is published."""

from __future__ import annotations

import asyncio
import time
import uuid
from base64 import urlsafe_b64encode
from contextlib import suppress
from typing import Any

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from titanium_auth.adapters.key_store import POLL_EVERY, KeyStore, StoredKey
from titanium_auth.domain.models import Session
from titanium_auth.settings import AuthSettings
from titanium_kit.background import Background
from titanium_kit.cache import Entry
from titanium_kit.logs import get_logger
from titanium_kit.problems import Unavailable
from titanium_kit.settings import SettingsError
from titanium_kit.tokens.claims import ALGORITHM, TYPE

logger = get_logger(__name__)

JWKS_MAX_AGE = 15


def _jwk(key: StoredKey) -> dict[str, str]:
    public = key.private_key.public_key().public_bytes_raw()
    x = urlsafe_b64encode(public).decode().rstrip("=")
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": x,
        "kid": key.kid,
        "use": "sig",
        "alg": ALGORITHM,
    }


class KeyRing:
    """Follows the key store every second; implements `AccessTokens`."""

    name = "signing-keys"
    required = True

    def __init__(self, store: KeyStore, settings: AuthSettings) -> None:
        self._store = store
        self._settings = settings
        self._kids: tuple[str, ...] = ()
        self._signers: list[tuple[float, str, Ed25519PrivateKey]] = []
        self._public: dict[str, jwt.PyJWK] = {}
        self._document: dict[str, Any] = {"keys": []}
        self._entry: Entry | None = None
        self._task = Background("signing-keys", self._follow)

    async def start(self) -> None:
        """Load the keys. A database that is away is waited for in the background.

        Raises `SettingsError` when the keys there do not open.
        """
        with suppress(Unavailable):
            await self.reload()
        self._task.start()

    async def stop(self) -> None:
        await self._task.stop()

    async def check(self) -> None:
        """Raises while there is no key to sign with."""
        if not self._signers:
            raise Unavailable("no signing key could be read yet")

    async def reload(self) -> None:
        """Take over what the store holds now."""
        stored = await self._store.load()
        kids = tuple(key.kid for key in stored)
        if kids == self._kids:
            return
        document = {"keys": [_jwk(key) for key in stored]}
        self._public = {key["kid"]: jwt.PyJWK(key) for key in document["keys"]}
        self._document = document
        self._entry = Entry.of(
            orjson.dumps(document),
            "application/json",
            headers={"cache-control": f"public, max-age={JWKS_MAX_AGE}"},
        )
        now = time.monotonic()
        self._signers = [(now + key.signs_in, key.kid, key.private_key) for key in stored]
        self._kids = kids
        logger.info("signing_keys", published=kids)

    @property
    def jwks(self) -> dict[str, Any]:
        """The published keys (RFC 7517)."""
        return self._document

    @property
    def jwks_entry(self) -> Entry:
        """The same as bytes with their validator. Raises `Unavailable` before the first load."""
        if self._entry is None:
            raise Unavailable("The signing keys cannot be read right now.")
        return self._entry

    def public_key(self, kid: str) -> jwt.PyJWK | None:
        """A published key by its id."""
        return self._public.get(kid)

    def issue(self, session: Session) -> tuple[str, int]:
        """An access token for `session` that ends with it at the latest, and its seconds."""
        kid, private_key = self._signing_key()
        now = int(time.time())
        expires = min(now + self._settings.access_lifetime, int(session.expires_at.timestamp()))
        claims = {
            "iss": self._settings.token_issuer,
            "aud": self._settings.token_audience,
            "sub": str(session.user_id),
            "username": session.username,
            "sid": session.id.hex,
            "jti": uuid.uuid4().hex,
            "iat": now,
            "nbf": now,
            "exp": expires,
        }
        headers = {"kid": kid, "typ": TYPE}
        token = jwt.encode(claims, private_key, algorithm=ALGORITHM, headers=headers)
        return token, max(0, expires - now)

    def _signing_key(self) -> tuple[str, Ed25519PrivateKey]:
        """The newest whose time has come; the oldest when there is none."""
        if not self._signers:
            raise Unavailable("The signing keys cannot be read right now.")
        moment = time.monotonic()
        ripe = [signer for signer in self._signers if signer[0] <= moment]
        _, kid, private_key = (ripe or self._signers[:1])[-1]
        return kid, private_key

    async def _follow(self) -> None:
        told = ""
        while True:
            await asyncio.sleep(POLL_EVERY)
            try:
                await self.reload()
            except (Unavailable, SettingsError) as error:
                if str(error) != told:
                    logger.warning("signing_keys_unknown", reason=str(error))
                told = str(error)
            else:
                told = ""
