"""Where a page ends: an opaque text of fixed length.

Every text of the right form is a place in every list, so that a made-up cursor can be answered
with a page and never with an error.
"""

from __future__ import annotations

import base64
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PATTERN = r"^[A-Za-z0-9_-]{28}$"
_FORM = struct.Struct(">BiqQ")
_FIRST = (datetime.min.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
_LAST = (datetime.max.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last post of a page; `rank` (an integer) orders search results and is 0 elsewhere."""

    created_at: datetime
    id: int
    rank: int = 0

    def encode(self) -> str:
        """28 characters that need no escaping in a URL."""
        micros = (self.created_at - EPOCH) // timedelta(microseconds=1)
        return base64.urlsafe_b64encode(_FORM.pack(0, self.rank, micros, self.id)).decode()

    @classmethod
    def decode(cls, text: str) -> Cursor:
        """The inverse of `encode` for any text that matches `PATTERN`."""
        _, rank, micros, post_id = _FORM.unpack(base64.urlsafe_b64decode(text))
        moment = EPOCH + timedelta(microseconds=min(max(micros, _FIRST), _LAST))
        return cls(moment, min(post_id, 2**63 - 1), rank)
