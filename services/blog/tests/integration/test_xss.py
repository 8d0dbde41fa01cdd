"""Stored scripts do not run: what an HTML parser sees in every answer is on the allow-list."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import quote
from xml.etree import ElementTree

import pytest

from services.blog.tests.payloads import PAYLOADS
from services.blog.tests.support import BlogUnderTest
from titanium_blog.adapters.article import article
from titanium_blog.adapters.markdown import ATTRIBUTES, TAGS, to_html

pytestmark = pytest.mark.integration

PAGE_TAGS = {
    *("html", "head", "meta", "title", "link", "body", "header", "form", "label", "input"),
    *("button", "main", "nav", "article", "time", "span", "svg", "circle", "div", "footer"),
    *("rect", "path", "text", "mark", "section", "details", "summary", "script"),
}
DATA = ("application/json", "application/ld+json")
OUR_SCRIPT = re.compile(r"/blog/static/[a-z0-9-]+\.[0-9a-f]{12}\.js")
URLS = ("href", "src", "action", "formaction", "data", "background", "xlink:href", "srcdoc")
SCHEME = re.compile("([a-z][a-z0-9+.-]*):")
IGNORED = re.compile("[\x00-\x20]")
SAFE = ("http", "https", "mailto")


class Reader(HTMLParser):
    """Collects what could run."""

    def __init__(self, tags: set[str]) -> None:
        super().__init__(convert_charrefs=True)
        self.tags = tags
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.tags:
            self.wrong.append(f"<{tag}>")
        named = dict(attrs)
        runs = tag == "script" and named.get("type") not in DATA
        if runs and not OUR_SCRIPT.fullmatch(named.get("src") or ""):
            self.wrong.append(f"<script {named}>")
        for name, value in attrs:
            if name.startswith("on") or name in ("style", "srcdoc", "formaction"):
                self.wrong.append(f"<{tag} {name}>")
            scheme = SCHEME.match(IGNORED.sub("", value or "").lower())
            if name in URLS and scheme and scheme[1] not in SAFE:
                self.wrong.append(f"<{tag} {name}={value!r}>")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "script" and "<" in data:
            self.wrong.append(f"in a script: {data!r}")

    def handle_decl(self, decl: str) -> None:
        if decl != "doctype html":
            self.wrong.append(f"<!{decl}>")

    def handle_pi(self, data: str) -> None:
        self.wrong.append(f"<?{data}>")


def problems(html: str, tags: set[str]) -> list[str]:
    reader = Reader(tags)
    reader.feed(html)
    reader.close()
    return reader.wrong


def test_the_reader_sees_what_could_run() -> None:
    """The check itself: it must find the payloads when nothing cleans them."""
    found = [payload for payload in PAYLOADS if problems(payload, TAGS)]
    assert len(found) > 40


def test_nothing_on_the_allow_list_can_run() -> None:
    assert not TAGS & {"script", "style", "iframe", "object", "embed", "form", "svg", "math"}
    names = {name for attributes in ATTRIBUTES.values() for name in attributes}
    assert names == {"href", "title", "src", "alt", "start", "class"}


def test_bar_51_no_payload_survives_in_content_html() -> None:
    assert len(PAYLOADS) >= 100
    for payload in PAYLOADS:
        for text in (payload, f"a {payload} b", f"- {payload}\n\n> {payload}\n", payload * 3):
            assert problems(to_html(text), TAGS) == [], payload
            assert problems(article(text).html, TAGS | {"div", "span"}) == [], payload
        fenced = f"# {payload}\n\n```{payload}\n{payload}\n```\n\n```html\n{payload}\n```\n"
        assert problems(article(fenced).html, TAGS | {"div", "span"}) == [], payload


async def test_bar_51_no_payload_survives_in_any_field_of_any_page(blog: BlogUnderTest) -> None:
    """Stored through the API, read back from the API and as pages."""
    ids = []
    for payload in PAYLOADS:
        post = await blog.created(payload[:200], payload, category_name=payload[:50])
        assert problems(post["content_html"], TAGS) == [], payload
        assert post["title"] == payload[:200].strip()
        ids.append(post["id"])
    post = await blog.created(
        "Code", "".join(f"## {p}\n\n```js\n{p}\n```\n\n" for p in PAYLOADS if "\n" not in p)
    )
    for post_id in (*ids, post["id"]):
        page = await blog.client.get(f"/blog/posts/{post_id}")
        assert problems(page.text, TAGS | PAGE_TAGS) == []
    seen = 0
    address = "/blog/"
    while address:
        page = await blog.client.get(address)
        assert page.status_code == 200
        assert problems(page.text, TAGS | PAGE_TAGS) == []
        seen += page.text.count("<article")
        older = page.text.partition('" rel="next"')[0].rpartition('href="')[2]
        address = older.replace("&amp;", "&") if 'rel="next"' in page.text else ""
    assert seen == len(PAYLOADS) + 1
    for address in ("feed.xml", "sitemap.xml"):
        ElementTree.fromstring((await blog.client.get(f"/blog/{address}")).content)  # noqa: S314


async def test_bar_51_no_payload_survives_in_the_query_of_a_page(blog: BlogUnderTest) -> None:
    for payload in PAYLOADS:
        params = {"q": payload, "author": payload, "cursor": payload}
        page = await blog.client.get("/blog/", params=params)
        assert page.status_code == 200
        assert problems(page.text, TAGS | PAGE_TAGS) == [], payload
        page = await blog.client.get("/blog/", params={**params, "category": payload})
        assert page.status_code in (200, 404)  # a payload of nothing but blanks names no category
        assert problems(page.text, TAGS | PAGE_TAGS) == [], payload
        for path in (quote(payload), f"authors/{quote(payload)}", f"?{quote(payload)}={payload}"):
            page = await blog.client.get(f"/blog/{path}")
            assert problems(page.text, TAGS | PAGE_TAGS) == [], payload
        page = await blog.client.get("/blog/language", params={"to": "ko", "back": payload})
        assert page.headers["location"] == "/blog/"
        page = await blog.client.get(f"/blog/{payload}")
        assert problems(page.text, TAGS | PAGE_TAGS) == [], payload
