"""Colours for code, as classes: Pygments finds the words, this module writes the HTML.

The work is bounded: known languages only, so many characters, so many milliseconds. What is left
over then is shown without colours.
"""

from __future__ import annotations

import html
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Generic, Keyword, Name, Number, String, Token, _TokenType

LANGUAGES = {
    name: lexer
    for lexer, names in {
        "bash": "bash sh shell zsh",
        "c": "c h",
        "console": "console shell-session",
        "cpp": "c++ cpp cc",
        "csharp": "c# csharp cs",
        "css": "css",
        "diff": "diff patch",
        "docker": "docker dockerfile",
        "go": "go golang",
        "hcl": "hcl terraform tf",
        "html": "html",
        "http": "http",
        "ini": "ini cfg conf properties env",
        "java": "java",
        "javascript": "javascript js mjs",
        "json": "json jsonc",
        "jsx": "jsx",
        "kotlin": "kotlin kt",
        "lua": "lua",
        "make": "make makefile",
        "nginx": "nginx",
        "php": "php",
        "postgresql": "sql postgresql postgres psql",
        "promql": "promql",
        "protobuf": "protobuf proto",
        "pycon": "pycon",
        "python": "python py python3",
        "ruby": "ruby rb",
        "rust": "rust rs",
        "scss": "scss",
        "swift": "swift",
        "toml": "toml",
        "typescript": "typescript ts tsx",
        "xml": "xml svg",
        "yaml": "yaml yml",
    }.items()
    for name in names.split()
}
"""What people write after the fence, and the lexer for it."""

MOST, LONGEST_LINE = 10_000, 400
"""Longer blocks, and those with longer lines (in code points), stay as they are: some lexers take
time that grows with the square of a line."""
SECONDS = 0.05
"""Of processor time, for all the code of one text."""

CLASSES = {
    "c": "comments",
    "k": "keywords",
    "s": "strings",
    "n": "numbers",
    "f": "names of functions and classes where they are made, decorators",
    "b": "what a language brings along",
    "t": "tags",
    "a": "attributes and keys",
    "v": "variables",
    "d": "deleted lines",
    "i": "inserted lines",
    "p": "prompts and output",
}
"""Classes of `span`; the stylesheet gives each its colour."""

_KINDS: dict[_TokenType, str] = {
    Token: "",
    Comment: "c",
    Comment.Preproc: "k",
    Keyword: "k",
    Keyword.Constant: "n",
    String: "s",
    Number: "n",
    Name.Function: "f",
    Name.Class: "f",
    Name.Decorator: "f",
    Name.Builtin: "b",
    Name.Exception: "b",
    Name.Tag: "t",
    Name.Attribute: "a",
    Name.Property: "a",
    Name.Variable: "v",
    Generic.Deleted: "d",
    Generic.Inserted: "i",
    Generic.Heading: "k",
    Generic.Subheading: "k",
    Generic.Prompt: "p",
    Generic.Output: "p",
}


@dataclass(slots=True)
class Budget:
    """The time that is left for one text."""

    seconds: float = SECONDS


def to_html(source: str, language: str, budget: Budget) -> str:
    """`source` escaped, with spans in it where the language is known, as long as there is time."""
    name = LANGUAGES.get(language.lower())
    longest = max(map(len, source.split("\n")))
    if name is None or len(source) > MOST or longest > LONGEST_LINE:
        return html.escape(source, quote=False)
    lexer = _lexer(name)
    began, parts = time.thread_time(), []
    for kind, text in _runs(lexer, source, began + budget.seconds):
        escaped = html.escape(text, quote=False)
        parts.append(f'<span class="{kind}">{escaped}</span>' if kind else escaped)
    budget.seconds -= time.thread_time() - began
    return "".join(parts)


def _runs(lexer: Lexer, source: str, until: float) -> Iterator[tuple[str, str]]:
    """Neighbours of one class together; the rest as it is when the time is up."""
    kind, begin, position = "", 0, 0
    for position, token, text in lexer.get_tokens_unprocessed(source):
        found = _kind(token) if text.strip() else kind
        if found != kind:
            if position > begin:
                yield kind, source[begin:position]
            kind, begin = found, position
        if time.thread_time() > until:
            yield "", source[begin:]
            return
    if begin < len(source):
        yield kind, source[begin:]


@cache
def _kind(token: _TokenType) -> str:
    while token not in _KINDS:
        token = token.parent
    return _KINDS[token]


@cache
def _lexer(name: str) -> Lexer:
    return get_lexer_by_name(name, stripnl=False, ensurenl=False)
