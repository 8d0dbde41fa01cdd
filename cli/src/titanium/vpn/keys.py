"""WireGuard keys: X25519, in base64, as `wg genkey` and `wg pubkey` write them."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field

from titanium.errors import UsageError

_BYTES = 32


@dataclass(frozen=True)
class KeyPair:
    """Both as base64; the private one is not shown by `repr`."""

    private: str = field(repr=False)
    public: str


def make_key_pair() -> KeyPair:
    """A new pair from the system's randomness."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    key = X25519PrivateKey.generate()
    return KeyPair(_base64(key.private_bytes_raw()), _base64(key.public_key().public_bytes_raw()))


def check_public_key(text: str, whose: str) -> str:
    """The same key; UsageError when it is none: a cut-off copy, or a key of another kind."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    # Equal after a round trip: WireGuard refuses base64 whose unused bits are set.
    if len(raw) != _BYTES or _base64(raw) != text or not any(raw):
        raise UsageError(
            f"{text!r} is no WireGuard public key ({whose})",
            "It is what `wg pubkey` prints: 44 characters that end in =.",
        )
    return text


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
