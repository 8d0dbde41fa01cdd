"""Which language a text is in, as far as a reader's voice and hyphenation need to know."""

from __future__ import annotations

import re

HANGUL = re.compile("[\uac00-\ud7a3]")
LETTER = re.compile(r"[^\W\d_]")
SAMPLE = 1000


def language_of(text: str) -> str:
    """`ko` when at least a fifth of the letters are Hangul, else `en`."""
    sample = text[:SAMPLE]
    hangul = len(HANGUL.findall(sample))
    return "ko" if hangul and hangul * 5 >= len(LETTER.findall(sample)) else "en"
