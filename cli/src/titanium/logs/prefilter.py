"""Finds the lines that may match in raw bytes: parsing a million lines would take minutes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from titanium.logs.model import Query
from titanium.logs.parse import words_of

# Characters that no writer of JSON escapes.
_PLAIN = re.compile(r"[A-Za-z0-9 _.:=,@#()/'{}\[\];?!*+$%|^~-]+")

Span = tuple[int, int]


class Prefilter:
    """Leaves out lines that cannot match a query; those it keeps still have to be parsed."""

    def __init__(self, query: Query) -> None:
        wanted = [_needles(text) for text in (query.request_id, query.trace_id, query.text)]
        # One needle of every group must be in the line; the rarest group comes first.
        self._text = query.text.lower()
        self._groups = [group for group in (*wanted, words_of(query.levels)) if group]

    def spans(self, block: bytes) -> Iterator[Span]:
        """Start and end of the lines of `block` that may match, the last line first."""
        for start, end in self._coarse(block):
            if not self._text or self._may_hold_text(block[start:end]):
                yield start, end

    def _may_hold_text(self, line: bytes) -> bool:
        # Without a backslash, whatever a member holds stands in the line as it is.
        return b"\\" in line or self._text in line.decode("utf-8", "replace").lower()

    def _coarse(self, block: bytes) -> Iterator[Span]:
        if not self._groups:
            yield from _every_line(block)
            return
        lowered = block.lower()
        first, *others = self._groups
        spans = {span for needle in first for span in _lines_with(lowered, needle)}
        for start, end in sorted(spans, reverse=True):
            line = lowered[start:end] if others else b""
            if all(any(needle in line for needle in group) for group in others):
                yield start, end


def _needles(text: str) -> tuple[bytes, ...]:
    """Lowercase bytes, one of which is in every line with that text; () when nothing is sure."""
    plain = max(_PLAIN.findall(text), key=len, default="")
    if plain:
        return (plain.lower().encode(),)
    if not text or text.lower() != text.upper() or not text.isprintable() or text.isascii():
        return ()
    # As it is, or escaped.
    return (text.encode("utf-8", "replace"), b"\\u")


def _every_line(block: bytes) -> Iterator[Span]:
    end = len(block)
    while end >= 0:
        start = block.rfind(b"\n", 0, end) + 1
        if start < end:
            yield start, end
        end = start - 1


def _lines_with(block: bytes, needle: bytes) -> Iterator[Span]:
    at = block.find(needle)
    while at >= 0:
        start = block.rfind(b"\n", 0, at) + 1
        end = block.find(b"\n", at)
        end = len(block) if end < 0 else end
        yield start, end
        at = block.find(needle, end)
