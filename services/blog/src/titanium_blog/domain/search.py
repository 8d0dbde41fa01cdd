"""Full-text search without a dictionary: words, and pairs of characters where words run together.

A run of Hangul, Kana or Han characters is indexed as its overlapping pairs (and its last
character, so that a single one is found by prefix); anything else as whole words, searched by
prefix. The results are texts of PostgreSQL's tsvector and tsquery types. Terms hold letters and
digits only, so that no input can be a syntax error.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

CJK = (
    "\u1100-\u11ff\u3005-\u3007\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
)
RUNS = re.compile(rf"[{CJK}]+|[^\W_{CJK}]+")
IS_CJK = re.compile(rf"[{CJK}]")
ACCENTS = re.compile("[\u0300-\u036f]+")

MAX_WORD = 64
MAX_LEXEMES = 10_000
MAX_POSITIONS = 4
LAST_POSITION = 16_383
MAX_TERMS = 16


def fold(text: str) -> str:
    """`text` without differences of case, width, composition and Latin accents."""
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKC", text).casefold()
    bare = ACCENTS.sub("", unicodedata.normalize("NFD", text))
    return unicodedata.normalize("NFC", bare)


def lexemes(text: str) -> Iterator[str]:
    """The terms under which `text` is found, in order, with repetitions."""
    folded = fold(text)
    ascii_only = folded.isascii()
    for run in RUNS.findall(folded):
        if ascii_only or not IS_CJK.match(run):
            yield run[:MAX_WORD]
        else:
            for start in range(len(run)):
                yield run[start : start + 2]


def vector(title: str, content: str) -> str:
    """A tsvector: words of the title have weight A, words of the content weight D.

    At most 10,000 different terms, four positions each: what comes later in a very long text is
    not found.
    """
    places: dict[str, list[str]] = {}
    position = 0
    for weight, text in (("A", title), ("", content)):
        for lexeme in lexemes(text):
            position += 1
            known = places.get(lexeme)
            if known is None:
                if len(places) >= MAX_LEXEMES:
                    break
                places[lexeme] = [f"{min(position, LAST_POSITION)}{weight}"]
            elif len(known) < MAX_POSITIONS and position <= LAST_POSITION:
                known.append(f"{position}{weight}")
    return " ".join(f"'{lexeme}':{','.join(where)}" for lexeme, where in places.items())


def _terms(text: str) -> Iterator[str]:
    for run in RUNS.findall(fold(text)):
        if not IS_CJK.match(run):
            word = run[:MAX_WORD]
            yield f"'{word}':*" if len(word) > 1 else f"'{word}'"
        elif len(run) == 1:
            yield f"'{run}':*"
        else:
            for start in range(len(run) - 1):
                yield f"'{run[start : start + 2]}'"


def query(text: str) -> str | None:
    """A tsquery that wants every term of `text` (the first 16), or None when it has none."""
    terms = list(dict.fromkeys(_terms(text)))[:MAX_TERMS]
    return " & ".join(terms) or None
