"""Refresh tokens: how they look, and what presenting one again means.

A token is `secret | generation | tag`: 256 random bits that stay the same in one session (a
*family*), a counter, and HMAC-SHA256 of both under a key of this service. The database keeps only
the secret's SHA-256 and the current generation: neither a copy of the database nor the key alone
makes a token, a family takes one row however often it is refreshed, and a token of any earlier
generation is still recognized as genuine, which is what reuse detection needs.

**Reuse or concurrency?** One request, the *winner*, moves the family from generation g to g+1. Its
answer is held back for `HOLD`; when another request presents g meanwhile, for `HOLD_CONTENDED`
after the latest of them (a crowd on a busy machine arrives in drops), and `HOLD_AT_MOST` in all.
Whatever presents g before the winner's answer leaves cannot have been caused by it: it is
*concurrent* (two tabs of one browser, a double click) and is told so (409) while the family lives;
only the winner gets the successor. Whatever presents g after it is *reuse*, by whoever stole the
token or by whom it was stolen from: the family ends, with the successor.

- All times are the database's, so replicas need no common clock. A request's arrival is the
  database's time minus how long the request has been here; it is never estimated too early.
- The winner records in the row that its answer may leave (`answered_at`) and answers only when
  that is committed. If it never did (crash, database lost at the COMMIT), the successor has left
  nobody's hands: after `HOLD_AT_MOST` the next request with g becomes the winner. So a client that
  got 503 may try again with the same token. An answer lost after it left the service cannot be
  told from theft: that session ends, and the person logs in again.
- Every refresh takes `HOLD` longer than it would; clients refresh every 15 minutes.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

HOLD = timedelta(milliseconds=250)
HOLD_CONTENDED = timedelta(seconds=1)
HOLD_AT_MOST = timedelta(seconds=5)

_SECRET = 32
_GENERATION = 4
_TAG = 32
_LENGTH = 91  # characters of 68 bytes in base64url without padding


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A genuine token's parts. `repr` does not show the secret."""

    secret: bytes
    generation: int

    def __repr__(self) -> str:
        return f"RefreshToken(generation={self.generation})"

    @property
    def family(self) -> bytes:
        """What the database knows the family by."""
        return hashlib.sha256(self.secret).digest()

    def successor(self) -> RefreshToken:
        """The token of the next generation."""
        return RefreshToken(self.secret, self.generation + 1)


class RefreshTokens:
    """Writes and reads tokens with a 256-bit `key`."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @staticmethod
    def first() -> RefreshToken:
        """The first token of a new family."""
        return RefreshToken(secrets.token_bytes(_SECRET), 0)

    def write(self, token: RefreshToken) -> str:
        """91 characters of base64url."""
        body = token.secret + token.generation.to_bytes(_GENERATION)
        return urlsafe_b64encode(body + self._tag(body)).decode().rstrip("=")

    def read(self, text: str) -> RefreshToken | None:
        """The token, or None when it is not one that `write` made with this key."""
        if len(text) != _LENGTH or not text.isascii():
            return None
        try:
            data = urlsafe_b64decode(text + "=")
        except (binascii.Error, ValueError):
            return None
        body, tag = data[:-_TAG], data[-_TAG:]
        if len(body) != _SECRET + _GENERATION or not hmac.compare_digest(tag, self._tag(body)):
            return None
        token = RefreshToken(body[:_SECRET], int.from_bytes(body[_SECRET:]))
        return token if self.write(token) == text else None

    def _tag(self, body: bytes) -> bytes:
        return hmac.digest(self._key, body, "sha256")


class Verdict(Enum):
    """What presenting a token means."""

    ROTATE = "rotate"
    CONCURRENT = "concurrent"
    REUSE = "reuse"


@dataclass(frozen=True, slots=True)
class FamilyState:
    """A family's row: `generation` is current since `rotated_at`; its token left at `answered_at`.

    A generation whose token has not left yet has no `answered_at`.
    """

    generation: int
    rotated_at: datetime
    answered_at: datetime | None


def judge(presented: int, family: FamilyState, arrived: datetime) -> Verdict:
    """What it means that generation `presented` arrived at the database's time `arrived`.

    A generation ahead of the row means that the database was restored from a backup: it rotates.
    """
    if presented >= family.generation:
        return Verdict.ROTATE
    if presented < family.generation - 1:
        return Verdict.REUSE
    if family.answered_at is not None:
        return Verdict.CONCURRENT if arrived < family.answered_at else Verdict.REUSE
    abandoned = arrived >= family.rotated_at + HOLD_AT_MOST
    return Verdict.ROTATE if abandoned else Verdict.CONCURRENT
