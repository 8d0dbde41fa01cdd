"""Every sentence is in both catalogs, and nowhere else."""

from __future__ import annotations

import re
import string
import tomllib
from pathlib import Path

import pytest

import titanium_blog
from titanium_blog.domain.language import LANGUAGES
from titanium_blog.http.web.catalog import catalog, catalog_source, flattened

pytestmark = pytest.mark.unit

HTTP = Path(titanium_blog.__file__).parent / "http"
TEMPLATES = sorted((HTTP / "templates").glob("*.*"))
PAGES = [path for path in TEMPLATES if path.suffix == ".html"]
SCRIPTS = sorted((HTTP / "static").rglob("*.js"))
USED = re.compile(r"""\bt\(\s*["'`]([a-z_]+\.[A-Za-z0-9_]+)(["'`]|\$\{)(?=\s*(~)?)""")
QUOTED = re.compile(r"""["'`]([a-z]+\.[a-z0-9_]+)["'`]""")
JINJA = re.compile(r"\{% block page %\}[a-z ]*|\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", re.DOTALL)
SPOKEN = re.compile(r'\b(?:alt|aria-label|label|placeholder|title|content)="([^"]*)"')
NOT_SPOKEN = re.compile(
    r'<meta (?:name="(?:viewport|color-scheme|theme-color|robots|twitter:card)"'
    r'|property="og:(?:type|locale)")[^>]*>'
)
NO_WORDS = re.compile(r"Ctrl|<kbd>.*?</kbd>|https://…|```\w+")
LETTERS = re.compile(r"[^\W\d_]")


def keys_used() -> dict[str, set[str]]:
    """Keys by what uses them; a key that is put together (`t("a.b_" ~ c)`) ends with `*`."""
    used: dict[str, set[str]] = {}
    for path in (*TEMPLATES, *SCRIPTS):
        for key, end, joined in USED.findall(path.read_text("utf-8")):
            used.setdefault(key + ("*" if joined or end == "${" else ""), set()).add(path.name)
    return used


def in_catalog(key: str, texts: dict[str, str]) -> bool:
    if key.endswith("*"):
        return any(known.startswith(key[:-1]) for known in texts)
    return key in texts or f"{key}_other" in texts


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_the_catalogs_have_the_same_keys() -> None:
    first, *others = (set(catalog(language).texts) for language in LANGUAGES)
    for other in others:
        assert first == other


def test_the_catalogs_have_the_same_placeholders() -> None:
    english, korean = catalog("en").texts, catalog("ko").texts
    for key, text in english.items():
        assert placeholders(text) == placeholders(korean[key]), key


def test_no_text_is_empty_and_korean_is_korean() -> None:
    same = {key for key, text in catalog("en").texts.items() if text == catalog("ko").texts[key]}
    for language in LANGUAGES:
        assert all(text.strip() for text in catalog(language).texts.values())
    for key in same:
        assert not re.search(r"[a-z]{4,} [a-z]{3,}", catalog("ko").texts[key]), f"{key}: English"


def test_every_key_that_is_used_is_there() -> None:
    used = keys_used()
    assert len(used) > 100
    for language in LANGUAGES:
        texts = dict(catalog(language).texts)
        missing = {key: where for key, where in used.items() if not in_catalog(key, texts)}
        assert missing == {}


def test_every_key_is_used() -> None:
    used = keys_used()
    stems = tuple(key[:-1] for key in used if key.endswith("*"))
    paths = (*TEMPLATES, *SCRIPTS, *(HTTP / "web").glob("*.py"))
    named = {key for path in paths for key in QUOTED.findall(path.read_text("utf-8"))}
    idle = [
        key
        for key in catalog("en").texts
        if key not in used
        and re.sub("_(one|other)$", "", key) not in used
        and not key.startswith((*stems, "date."))
        and key not in named
    ]
    assert idle == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_templates_hold_no_sentence(path: Path) -> None:
    text = NOT_SPOKEN.sub("", JINJA.sub("", path.read_text("utf-8")))
    spoken = [v for v in SPOKEN.findall(text) if LETTERS.search(NO_WORDS.sub("", v))]
    assert spoken == []
    text = NO_WORDS.sub("", text)
    shown = re.sub(r"<(script|style)\b.*?</\1>|<[^>]*>|&\w+;", " ", text, flags=re.DOTALL)
    assert LETTERS.findall(shown) == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_hold_no_sentence(path: Path) -> None:
    """Two words of prose in quotes are a sentence that nobody translated."""
    code = re.sub(r"/\*.*?\*/|(?<!:)//[^\n]*", "", path.read_text("utf-8"), flags=re.DOTALL)
    code = re.sub(r"(?:new \w*Error|super)\([^\n]*", "", code)
    quoted = re.findall(r'"([^"\n]*)"', code)
    assert [text for text in quoted if re.search(r"[A-Z가-힣][\w가-힣]+ [\w가-힣]+ ", text)] == []


def test_a_missing_key_or_value_is_an_error() -> None:
    texts = catalog("en")
    with pytest.raises(KeyError):
        texts("list.nothing")
    with pytest.raises(KeyError):
        texts("list.title_search", other=1)
    with pytest.raises(KeyError):
        catalog("fr")


def test_numbers_choose_the_form() -> None:
    assert catalog("en")("author.count", count=1) == "1 post"
    assert catalog("en")("author.count", count=2) == "2 posts"
    assert catalog("ko")("author.count", count=1) == "글 1편"


def test_only_texts_are_texts() -> None:
    for language in LANGUAGES:
        assert tomllib.loads(catalog_source(language).decode())
    with pytest.raises(TypeError, match=r"a\.b"):
        flattened({"a": {"b": 1}})
