"""Markdown to HTML that is safe to show, with a bound on the work.

CommonMark with tables and strikethrough; raw HTML is shown as text. The parser escapes, then an
allow-list of tags, attributes and schemes is applied to its output, so that a fault in one of the
two is not a hole. Increase `VERSION` when the output for the same text changes.
"""

from __future__ import annotations

import asyncio
import html
import re

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore

from titanium_blog.domain import limits, search
from titanium_blog.domain.errors import TooComplexError
from titanium_blog.domain.posts import Rendered

VERSION = 1
MAX_STEPS = 500_000
"""Tokens that the parser may try: two to three seconds of the worst text."""
INLINE = 4_000
"""Longer texts (in code points) are rendered in a thread."""
EXCERPT = 200
EXCERPT_SOURCE = 4_000

TAGS = {
    "p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "code", "em",
    "strong", "s", "a", "img", "ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td",
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
ALIGNMENTS = {f"text-align:{side}": f"align-{side}" for side in ("left", "center", "right")}


def _filter(tag: str, attribute: str, value: str) -> str | None:
    if attribute != "class":
        return value
    if tag == "code":
        return value if LANGUAGE_CLASS.fullmatch(value) else None
    return value if value in ALIGNMENTS.values() else None


def _align_by_class(state: StateCore) -> None:
    """Table cells are aligned by a class: a strict Content-Security-Policy ignores `style`."""
    for token in state.tokens:
        if token.type in ("th_open", "td_open") and "style" in token.attrs:
            style = str(token.attrs.pop("style"))
            token.attrs["class"] = ALIGNMENTS[style]


class _Budget:
    """Counts the parser's steps; a rule that never matches, in front of every other rule."""

    def __call__(self, state: object, *_: object) -> bool:
        env: dict[str, int] = state.env  # type: ignore[attr-defined]
        env["steps"] = steps = env.get("steps", 0) + 1
        if steps > MAX_STEPS:
            raise TooComplexError(
                "The Markdown of `content` takes too long to render: remove nested brackets, "
                "lists or references."
            )
        return False


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "linkify": False})
    parser.enable(["table", "strikethrough"])
    parser.inline.ruler.before("text", "budget", _Budget())
    parser.block.ruler.before(
        "table", "budget", _Budget(), {"alt": ["paragraph", "reference", "blockquote", "list"]}
    )
    parser.core.ruler.push("align_by_class", _align_by_class)
    return parser


_markdown = _parser()
_cleaner = nh3.Cleaner(
    tags=TAGS,
    attributes=ATTRIBUTES,
    attribute_filter=_filter,
    url_schemes=SCHEMES,
    link_rel="nofollow noopener",
    strip_comments=True,
)
_stripper = nh3.Cleaner(tags=set(), attributes={}, link_rel=None)


def to_html(content: str) -> str:
    """Sanitized HTML. Raises `TooComplexError` when the work or the result is too large."""
    rendered = _markdown.render(content, {})
    if len(rendered) > limits.HTML:
        raise TooComplexError(
            f"The Markdown of `content` becomes more than {limits.HTML} characters of HTML: "
            "shorten its tables or lists."
        )
    return _cleaner.clean(rendered)


def excerpt_of(content_html: str) -> str:
    """The first 200 characters or so of the text, cut between words where there is a space."""
    text = html.unescape(_stripper.clean(content_html[:EXCERPT_SOURCE]))
    text = " ".join(text.split())
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


class MarkdownRenderer:
    """Renders short texts at once and long ones in a thread, one at a time, so that other requests
    share the processor with one long text at most."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(1)

    async def render(self, title: str, content: str) -> Rendered:
        """Raises `TooComplexError`."""
        if len(content) <= INLINE:
            return render(title, content)
        async with self._turn:
            return await asyncio.to_thread(render, title, content)
