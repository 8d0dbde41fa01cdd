"""The keys that follow from `key_encryption_key`, one for each purpose."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr

from titanium_kit.settings import SettingsError

_NONCE = 12


class WrongKeyError(Exception):
    """What is sealed was sealed under another key, or damaged."""


def _derive(secret: SecretStr, purpose: str) -> bytes:
    kdf = HKDF(SHA256(), length=32, salt=None, info=f"titanium auth {purpose} 1".encode())
    return kdf.derive(secret.get_secret_value().encode())


@dataclass(frozen=True, slots=True)
class DerivedKeys:
    """256 bits for each purpose (HKDF-SHA256); knowing one tells nothing about another."""

    sealing: bytes = field(repr=False)
    refresh: bytes = field(repr=False)
    throttle: bytes = field(repr=False)
    given: bool = True

    @classmethod
    def of(cls, secret: SecretStr) -> DerivedKeys:
        """The keys that follow from `secret`."""
        return cls(
            sealing=_derive(secret, "signing keys"),
            refresh=_derive(secret, "refresh tokens"),
            throttle=_derive(secret, "throttling"),
            given=bool(secret),
        )

    def require(self) -> None:
        """Raises `SettingsError` when there was no secret to derive the keys from."""
        if not self.given:
            raise SettingsError("KEY_ENCRYPTION_KEY: empty; generate one and keep it")

    def seal(self, plain: bytes, name: str) -> bytes:
        """AES-256-GCM: nonce, then ciphertext, bound to `name`."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + AESGCM(self.sealing).encrypt(nonce, plain, name.encode())

    def open(self, sealed: bytes, name: str) -> bytes:
        """What `seal` was given. Raises `WrongKeyError`."""
        try:
            return AESGCM(self.sealing).decrypt(sealed[:_NONCE], sealed[_NONCE:], name.encode())
        except (InvalidTag, ValueError):
            raise WrongKeyError from None

    def hide(self, kind: str, value: str) -> bytes:
        """32 bytes that stand for `value` in throttling records; not reversible without the key."""
        return hmac.digest(self.throttle, f"{kind}\0{value}".encode(), hashlib.sha256)
