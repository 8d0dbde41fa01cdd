"""Which language a text is in, and which one a reader wants."""

from __future__ import annotations

import re
from functools import lru_cache

LANGUAGES = ("en", "ko")
"""Languages of the pages; the first is for readers who ask for none of them."""

HANGUL = re.compile("[\uac00-\ud7a3]")
LETTER = re.compile(r"[^\W\d_]")
SAMPLE = 1000
RANGES, LONGEST = 20, 256
_RANGE = re.compile(
    r"\s*([A-Za-z]{1,8}|\*)(?:-[A-Za-z0-9]{1,8})*\s*(?:;\s*[qQ]=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?\s*"
)


def language_of(text: str) -> str:
    """`ko` when at least a fifth of the letters are Hangul, else `en`: what a reader's voice and
    hyphenation need to know."""
    sample = text[:SAMPLE]
    hangul = len(HANGUL.findall(sample))
    return "ko" if hangul and hangul * 5 >= len(LETTER.findall(sample)) else "en"


def preferred(accept_language: str) -> str:
    """The language that an Accept-Language header likes best; its first 256 characters count."""
    return _preferred(accept_language[:LONGEST])


@lru_cache(maxsize=256)
def _preferred(accept_language: str) -> str:
    best, weight = LANGUAGES[0], 0.0
    for part in accept_language.split(",", RANGES)[:RANGES]:
        match = _RANGE.fullmatch(part)
        if match and (name := match[1].lower()) in LANGUAGES:
            wanted = float(match[2] or 1)
            if wanted > weight:
                best, weight = name, wanted
    return best
