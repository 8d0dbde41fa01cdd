"""Where the words of a search stand in a text, by the rules under which `search` finds them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from titanium_blog.domain.search import IS_CJK, MAX_TERMS, RUNS, fold

BEFORE, WINDOW = 60, 200


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a text; `hit` when the search was for it."""

    text: str
    hit: bool


class Wanted:
    """The words of a query, as many as the search looks for."""

    def __init__(self, query: str) -> None:
        runs = list(dict.fromkeys(RUNS.findall(fold(query))))[:MAX_TERMS]
        self._words = [run for run in runs if not IS_CJK.match(run)]
        self._cjk = [run for run in runs if IS_CJK.match(run)]

    def parts(self, text: str) -> list[Part]:
        """`text` (in composed form) cut at the hits."""
        text = unicodedata.normalize("NFC", text)
        parts, done = [], 0
        for start, end in self._merged(text):
            if start > done:
                parts.append(Part(text[done:start], hit=False))
            parts.append(Part(text[start:end], hit=True))
            done = end
        if done < len(text):
            parts.append(Part(text[done:], hit=False))
        return parts

    def around(self, text: str) -> str | None:
        """Some 200 characters around the first hit, or None without one."""
        text = unicodedata.normalize("NFC", text)
        first = min(self._found(text, 1), default=None)
        if first is None:
            return None
        start = max(min(first[0] - BEFORE, len(text) - WINDOW), 0)
        end = min(start + WINDOW, len(text))
        if start and (space := text.find(" ", start, first[0])) >= 0:
            start = space + 1
        if end < len(text) and (space := text.rfind(" ", first[1], end)) > 0:
            end = space
        return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"

    def _merged(self, text: str) -> Iterator[tuple[int, int]]:
        """Places of hits in order, apart from each other."""
        begin = end = -1
        for start, stop in sorted(self._found(text)):
            if start > end:
                if end > begin:
                    yield begin, end
                begin, end = start, stop
            else:
                end = max(end, stop)
        if end > begin:
            yield begin, end

    def _found(self, text: str, most: int | None = None) -> Iterator[tuple[int, int]]:
        """Every hit; with `most`, that many of each word in each run, the first ones."""
        folded, origin = _folded(text)
        for run in RUNS.finditer(folded):
            cjk = IS_CJK.match(run[0])
            for start, stop in self._pairs(run[0], most) if cjk else self._prefixes(run[0]):
                yield origin[run.start() + start], origin[run.start() + stop - 1] + 1

    def _prefixes(self, run: str) -> Iterator[tuple[int, int]]:
        for word in self._words:
            if run == word or (len(word) > 1 and run.startswith(word)):
                yield 0, len(word)

    def _pairs(self, run: str, most: int | None) -> Iterator[tuple[int, int]]:
        for wanted in self._cjk:
            whole = list(islice(_places(run, wanted), most))
            yield from whole
            if not whole:
                for pair in {wanted[start : start + 2] for start in range(len(wanted) - 1)}:
                    yield from islice(_places(run, pair), most)


def _places(text: str, wanted: str) -> Iterator[tuple[int, int]]:
    place = text.find(wanted)
    while place >= 0:
        yield place, place + len(wanted)
        place = text.find(wanted, place + 1)


def _folded(text: str) -> tuple[str, list[int]]:
    """`text` without differences that a search does not see, and where each character was."""
    if text.isascii():
        return text.lower(), list(range(len(text)))
    folded, origin = [], []
    for place, character in enumerate(text):
        for made in fold(character):
            folded.append(made)
            origin.append(place)
    return "".join(folded), origin
