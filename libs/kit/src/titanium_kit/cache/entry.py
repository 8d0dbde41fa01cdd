"""One cached answer."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import orjson
from starlette.types import Message


def strong_etag(body: bytes) -> str:
    """A strong validator (RFC 9110, 8.8.3) of `body`."""
    return f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


@dataclass(frozen=True, slots=True)
class Entry:
    """A 200 answer: its body, headers in ASGI form, and the ASGI messages ready to send.

    `route` is the path template, for metrics; `etag` is among the headers too. `max_age` (seconds)
    is for an answer that no invalidation reaches: it is kept so long, and by the process alone.
    """

    body: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    etag: str
    route: str = ""
    max_age: float = math.inf
    start: Message = field(init=False, repr=False)
    end: Message = field(init=False, repr=False)
    not_modified: Message = field(init=False, repr=False)

    def __post_init__(self) -> None:
        headers = [*self.headers, (b"content-length", str(len(self.body)).encode())]
        start = {"type": "http.response.start", "status": 200, "headers": headers}
        unchanged = [h for h in self.headers if h[0] != b"content-type"]
        object.__setattr__(self, "start", start)
        object.__setattr__(self, "end", {"type": "http.response.body", "body": self.body})
        object.__setattr__(
            self,
            "not_modified",
            {"type": "http.response.start", "status": 304, "headers": unchanged},
        )

    @classmethod
    def of(
        cls,
        body: bytes,
        media_type: str,
        *,
        etag: str | None = None,
        headers: dict[str, str] | None = None,
        max_age: float = math.inf,
    ) -> Entry:
        """An entry with its content type, validator and the headers given."""
        tag = etag or strong_etag(body)
        pairs = {
            "content-type": media_type,
            "etag": tag,
            "cache-control": "no-cache",
            **(headers or {}),
        }
        return cls(
            body=body,
            headers=tuple((k.lower().encode(), v.encode("latin-1")) for k, v in pairs.items()),
            etag=tag,
            max_age=max_age,
        )

    @property
    def size(self) -> int:
        """Bytes that the entry counts for, with round figures for its Python objects."""
        return len(self.body) + sum(len(k) + len(v) + 200 for k, v in self.headers) + 2048

    def matches(self, if_none_match: str) -> bool:
        """Whether an If-None-Match value names this entry (weak comparison, RFC 9110, 13.1.2)."""
        if if_none_match.strip() == "*":
            return True
        tags = (tag.strip().removeprefix("W/") for tag in if_none_match.split(","))
        return self.etag in tags

    def unchanged_for(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Whether a request with these headers (ASGI form) has this entry already."""
        for name, value in headers:
            if name == b"if-none-match" and self.matches(value.decode("latin-1")):
                return True
        return False

    def dumps(self) -> bytes:
        """For Redis: a JSON head line, then the body."""
        head = {
            "headers": [[k.decode("latin-1"), v.decode("latin-1")] for k, v in self.headers],
            "etag": self.etag,
        }
        return orjson.dumps(head) + b"\n" + self.body

    @classmethod
    def loads(cls, data: bytes) -> Entry:
        """The inverse of `dumps`. Raises ValueError on anything else."""
        line, _, body = data.partition(b"\n")
        head = orjson.loads(line)
        try:
            headers = tuple((k.encode("latin-1"), v.encode("latin-1")) for k, v in head["headers"])
            return cls(body=body, headers=headers, etag=head["etag"])
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("not a cache entry") from error
