"""Markdown to HTML that is safe to show, with a bound on the work.

CommonMark with tables and strikethrough, by pulldown-cmark, whose time is linear in the text; raw
HTML is shown as text. It is escaped first, then an allow-list of tags, attributes and schemes is
applied to the output, so that a fault in one of the two is not a hole. Increase `VERSION` when the
output for the same text changes.
"""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import nh3
import pyromark

from titanium_blog.domain import limits, search
from titanium_blog.domain.errors import TooComplexError
from titanium_blog.domain.posts import Rendered

T = TypeVar("T")

VERSION = 2
MAX_DEPTH = 100
"""Quotes and lists within each other."""
INLINE = 20_000
"""Longer texts (in code points) are rendered in a thread."""
EXCERPT = 200
EXCERPT_SOURCE = 4_000
NO_PROSE = re.compile(r"<(h[1-6]|pre|table)\b.*?(?:</\1>|\Z)", re.DOTALL)

TAGS = {
    "p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "code", "em",
    "strong", "del", "a", "img", "ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title"},
    "ol": {"start"},
    "code": {"class"},
    "th": {"class"},
    "td": {"class"},
}
SCHEMES = {"http", "https", "mailto"}
LANGUAGE_CLASS = re.compile(r"language-[\w+#.-]{1,40}")
ALIGNMENTS = {"align-left", "align-center", "align-right"}
ALIGNED_CELL = re.compile(r'<(t[hd]) style="text-align: (left|center|right)">')
CONTAINER = re.compile(r"<(/?)(?:blockquote|ul|ol)\b")


def allowed_class(tag: str, attribute: str, value: str) -> str | None:
    """The value of an attribute on the allow-list, or None where it is a class that is not ours."""
    if attribute != "class":
        return value
    if tag == "code":
        return value if LANGUAGE_CLASS.fullmatch(value) else None
    return value if value in ALIGNMENTS else None


_markdown = pyromark.Markdown(
    options=pyromark.Options.ENABLE_TABLES | pyromark.Options.ENABLE_STRIKETHROUGH
)
_cleaner = nh3.Cleaner(
    tags=TAGS,
    attributes=ATTRIBUTES,
    attribute_filter=allowed_class,
    url_schemes=SCHEMES,
    link_rel="nofollow noopener",
    strip_comments=True,
)
_stripper = nh3.Cleaner(tags=set(), attributes={}, link_rel=None)


def to_html(content: str) -> str:
    """Sanitized HTML. Raises `TooComplexError` when the nesting or the result is too large."""
    return _cleaner.clean(raw_html(content))


def raw_html(content: str) -> str:
    """The renderer's HTML, to be sanitized. Raises `TooComplexError`.

    It escapes `<` in texts and attributes, so that what looks like its own tag is its own tag.
    """
    rendered = _markdown.html(_without_html(content))
    if len(rendered) > limits.HTML:
        raise TooComplexError(
            f"The Markdown of `content` becomes more than {limits.HTML} characters of HTML: "
            "shorten its tables or lists."
        )
    _check_depth(rendered)
    # Table cells are aligned by a class: a strict Content-Security-Policy ignores `style`.
    return ALIGNED_CELL.sub(r'<\1 class="align-\2">', rendered)


def text_of(some_html: str) -> str:
    """The text of some HTML, on one line."""
    return " ".join(html.unescape(_stripper.clean(some_html)).split())


def _without_html(content: str) -> str:
    """`content` with its raw HTML escaped, so that it is shown as text: `Vec<String>` is prose."""
    if "<" not in content:
        return content
    source = content.encode()
    parts: list[bytes] = []
    done = 0
    for event, where in _markdown.events_with_range(content):
        if isinstance(event, dict) and ("InlineHtml" in event or "Html" in event):
            raw = source[where["start"] : where["end"]]
            parts += (source[done : where["start"]], raw.replace(b"<", b"&lt;"))
            done = where["end"]
    return b"".join((*parts, source[done:])).decode()


def _check_depth(rendered: str) -> None:
    """The sanitizer's work grows with the square of the nesting."""
    depth = 0
    for container in CONTAINER.finditer(rendered):
        depth += -1 if container[1] else 1
        if depth > MAX_DEPTH:
            raise TooComplexError(
                f"The Markdown of `content` nests more than {MAX_DEPTH} quotes or lists."
            )


def excerpt_of(content_html: str) -> str:
    """The first 200 characters or so of the text, cut between words where there is a space.

    Headings, code and tables are left out unless there is nothing else.
    """
    start = content_html[:EXCERPT_SOURCE]
    text = text_of(NO_PROSE.sub(" ", start)) or text_of(start)
    if len(text) <= EXCERPT:
        return text
    cut = text[: EXCERPT + 1].rpartition(" ")[0] if " " in text[EXCERPT // 2 : EXCERPT + 1] else ""
    return (cut or text[:EXCERPT]).rstrip(" ,.;:") + "…"


def render(title: str, content: str) -> Rendered:
    """Everything that is computed from a draft."""
    content_html = to_html(content)
    return Rendered(
        html=content_html,
        excerpt=excerpt_of(content_html),
        search=search.vector(title, content),
        version=VERSION,
    )


class Turns:
    """Short texts are worked on at once and long ones in a thread, one at a time, so that other
    requests share the processor with one long text at most."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(1)

    async def work(self, content: str, make: Callable[[str], T]) -> T:
        """What `make` makes of `content`."""
        if len(content) <= INLINE:
            return make(content)
        async with self._turn:
            return await asyncio.to_thread(make, content)


class MarkdownRenderer:
    """What is stored beside a post's text."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns

    async def render(self, title: str, content: str) -> Rendered:
        """Raises `TooComplexError`."""
        return await self._turns.work(content, partial(render, title))
