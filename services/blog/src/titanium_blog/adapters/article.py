"""Markdown as the pages show it: the API's HTML, with coloured code, headings that can be linked
to, and tables and code that scroll by themselves.

Everything is added before the allow-list is applied, so that what is shown has passed it.
"""

from __future__ import annotations

import html
import re
from collections import OrderedDict
from dataclasses import dataclass
from functools import partial

import nh3

from titanium_blog.adapters import highlight
from titanium_blog.adapters.markdown import (
    ATTRIBUTES,
    LANGUAGE_CLASS,
    SCHEMES,
    TAGS,
    Turns,
    allowed_class,
    raw_html,
    text_of,
)

KEPT = 8 * 1024 * 1024
"""Characters of rendered posts in memory."""
WORDS_A_MINUTE, SYLLABLES_A_MINUTE = 230, 480
NARROW = 36
"""Columns of code that fit a small screen; longer lines can be scrolled to by keyboard."""
CONTENTS = 60
"""Headings in a table of contents, at most."""
ID = 48

_HEADING = re.compile(r"<h([1-6])>(.*?)</h\1>", re.DOTALL)
_CODE = re.compile(r'<pre><code(?: class="language-([^"]*)")?>(.*?)</code></pre>', re.DOTALL)
_TABLE = re.compile(r"(<table>)(.*?)(</table>)", re.DOTALL)
_PLAIN_IMAGE = re.compile(r'<img src="http://')
_WORD = re.compile(r"[^\W_]+")
_HANGUL = re.compile("[\uac00-\ud7a3\u3040-\u30ff\u4e00-\u9fff]")
_LETTERS = re.compile("[a-zA-Z0-9\u00c0-\u024f]+")
_OUR_ID = re.compile(r"s-[\w-]{1,60}")
_OUR_CLASSES = {"div": {"code", "table"}, "span": set(highlight.CLASSES)}


@dataclass(frozen=True, slots=True)
class Heading:
    """One line of a table of contents; `level` is 2 for the outermost."""

    level: int
    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Article:
    """A post's body for readers: sanitized HTML, its headings, minutes to read it."""

    html: str
    contents: tuple[Heading, ...]
    minutes: int


def _filter(tag: str, attribute: str, value: str) -> str | None:
    if attribute == "id":
        return value if _OUR_ID.fullmatch(value) else None
    if attribute == "tabindex":
        return value if value == "0" else None
    if attribute == "data-language":
        return value if LANGUAGE_CLASS.fullmatch(f"language-{value}") else None
    if attribute == "class" and tag in _OUR_CLASSES:
        return value if value in _OUR_CLASSES[tag] else None
    return allowed_class(tag, attribute, value)


_cleaner = nh3.Cleaner(
    tags=TAGS | {"div", "span"},
    attributes={
        **ATTRIBUTES,
        **{f"h{level}": {"id"} for level in range(2, 7)},
        "div": {"class", "data-language", "tabindex"},
        "pre": {"tabindex"},
        "span": {"class"},
    },
    attribute_filter=_filter,
    url_schemes=SCHEMES,
    link_rel="nofollow noopener",
    set_tag_attribute_values={"img": {"loading": "lazy", "decoding": "async"}},
    strip_comments=True,
)


class _Headings:
    """Gives headings their places below the page's own `h1`, and names.

    A page's outline skips no level, whichever ones its author used.
    """

    def __init__(self) -> None:
        self.found: list[Heading] = []
        self._open: list[int] = []
        self._used: dict[str, int] = {}

    def __call__(self, match: re.Match[str]) -> str:
        written = int(match[1])
        while self._open and self._open[-1] >= written:
            self._open.pop()
        self._open.append(written)
        level = min(1 + len(self._open), 6)
        text = text_of(match[2])
        name = self._name(text)
        if text and len(self.found) < CONTENTS:
            self.found.append(Heading(level, name, text))
        return f'<h{level} id="{name}">{match[2]}</h{level}>'

    def _name(self, text: str) -> str:
        words = "-".join(_WORD.findall(text.lower()))[:ID].strip("-")
        name = base = f"s-{words or 'section'}"
        number = self._used.get(base, 0)
        while name in self._used:
            number += 1
            name = f"{base}-{number + 1}"
        # Where the next one of that name goes on: thousands of the same name take no longer each.
        self._used[base] = number
        self._used.setdefault(name, 0)
        return name


def _columns(line: str) -> int:
    return len(line) + sum(1 for _ in _HANGUL.finditer(line))


def _code(match: re.Match[str], budget: highlight.Budget) -> str:
    language, source = html.unescape(match[1] or ""), html.unescape(match[2])
    wide = any(_columns(line) > NARROW for line in source.split("\n"))
    focus = ' tabindex="0"' if wide else ""
    label = f' data-language="{html.escape(language)}"' if language else ""
    body = highlight.to_html(source, language, budget)
    return f'<div class="code"{label}><pre{focus}><code>{body}</code></pre></div>'


def _minutes(content: str) -> int:
    syllables = len(_HANGUL.findall(content))
    words = len(_LETTERS.findall(content))
    return max(1, round(words / WORDS_A_MINUTE + syllables / SYLLABLES_A_MINUTE))


def article(content: str) -> Article:
    """`content` (Markdown) for readers. Raises `TooComplexError`."""
    body = _CODE.sub(partial(_code, budget=highlight.Budget()), raw_html(content))
    headings = _Headings()
    body = _HEADING.sub(headings, body)
    body = _TABLE.sub(r'<div class="table" tabindex="0">\1\2\3</div>', body)
    # Browsers refuse what is not encrypted (Content-Security-Policy), and many hosts offer both.
    body = _PLAIN_IMAGE.sub('<img src="https://', body)
    return Article(_cleaner.clean(body), tuple(headings.found), _minutes(content))


class ArticleRenderer:
    """Renders texts, and remembers those of posts by their number and version."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._kept: OrderedDict[tuple[int, int], Article] = OrderedDict()
        self._size = 0

    async def render(self, content: str) -> Article:
        """Raises `TooComplexError`."""
        return await self._turns.work(content, article)

    async def of_post(self, post_id: int, version: int, content: str) -> Article:
        """The same for a post's version, which is rendered once as long as there is room."""
        key = (post_id, version)
        known = self._kept.get(key)
        if known is not None:
            self._kept.move_to_end(key)
            return known
        made = await self.render(content)
        if key not in self._kept:
            self._kept[key] = made
            self._size += len(made.html)
        while self._size > KEPT:
            self._size -= len(self._kept.popitem(last=False)[1].html)
        return made
