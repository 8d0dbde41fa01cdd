"""What readers do, in both languages, with scripts and without."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest

from tests.browser.blog.checks import repaint
from tests.browser.blog.visitor import Visit
from tests.support import Platform, wait_until

pytestmark = pytest.mark.e2e

SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
LANGUAGES = pytest.mark.parametrize("language", ["en", "ko"])
CODE_POST = "asyncio timeout"


def post_address(platform: Platform, words: str) -> str:
    """The path of the first post that a search finds."""
    found = platform.client.get("/api/posts", params={"q": words, "limit": 1}).json()
    return f"/blog/posts/{found[0]['id']}"


def heading(page: Any) -> str:
    return str(page.locator("h1").inner_text())


@SCRIPTS
@LANGUAGES
def test_a_reader_finds_a_post_by_list_category_and_page(
    visit: Visit, language: str, scripts: bool
) -> None:
    """From the front door: categories narrow the list, its pages follow each other."""
    reader = visit(language=language, scripts=scripts)
    page, t = reader.page, reader.words
    reader.go("/")
    assert urlsplit(page.url).path == "/blog/"
    assert page.locator("html").get_attribute("lang") == language
    assert heading(page) == t("list.title")
    first = page.locator("main article h2").all_inner_texts()
    assert len(first) == 20
    page.get_by_role("link", name=t("list.older")).click()
    second = page.locator("main article h2").all_inner_texts()
    assert second
    assert not set(first) & set(second)
    page.get_by_role("link", name=t("list.first")).click()
    assert page.locator("main article h2").all_inner_texts() == first
    chip = page.get_by_role("navigation", name=t("list.categories")).get_by_role("link").nth(1)
    name = chip.locator("[lang]").inner_text()
    chip.click()
    assert heading(page) == t("list.title_category", category=name)
    for post in page.locator("main article").all():
        assert name in post.inner_text()
    title = page.locator("main article h2").first.inner_text()
    page.locator("main article h2 a").first.click()
    assert heading(page) == title


@SCRIPTS
@LANGUAGES
def test_search_marks_what_it_found(visit: Visit, language: str, scripts: bool) -> None:
    """Words in Latin letters and in Korean; without a hit the page says what to try."""
    reader = visit(language=language, scripts=scripts)
    page, t = reader.page, reader.words
    for query, mark in (("postgres", "postgres"), ("김치", "김치")):
        reader.go("/blog/")
        box = page.get_by_role("searchbox", name=t("site.search"))
        box.fill(query)
        box.press("Enter")
        assert heading(page) == t("list.title_search", query=query)
        assert page.get_by_role("searchbox").input_value() == query
        marks = page.locator("main article mark").all_inner_texts()
        assert any(mark in found.lower() for found in marks)
    reader.go("/blog/?q=zxqj-nothing")
    assert t("list.empty_search") in page.locator("main").inner_text()
    assert t("list.empty_hint") in page.locator("main").inner_text()


@SCRIPTS
@LANGUAGES
def test_a_post_has_contents_code_author_and_more_to_read(
    visit: Visit, platform: Platform, language: str, scripts: bool
) -> None:
    reader = visit(language=language, scripts=scripts)
    page, t = reader.page, reader.words
    reader.go(post_address(platform, CODE_POST))
    contents = page.get_by_role("navigation", name=t("post.contents")).get_by_role("link").all()
    assert len(contents) >= 3
    for link in contents:
        target = page.locator(f"[id='{link.get_attribute('href').removeprefix('#')}']")
        assert target.inner_text() == link.inner_text()
    contents[-1].click()
    wait_until(lambda: _top(target) < 300, 5, "the heading is reached")
    colours = page.locator(".prose pre code span").evaluate_all(
        "(spans) => new Set(spans.map((span) => getComputedStyle(span).color)).size"
    )
    assert colours >= 2, "code is coloured"
    assert t("post.minutes", count=1) in page.locator("main").inner_text()
    assert page.locator("main time").first.get_attribute("datetime")
    related = page.locator("main").get_by_role("heading", name=t("post.related"))
    assert related.count() == 1
    author = page.locator("main a[rel~=author]").first
    name = author.inner_text()
    author.click()
    assert name in page.locator("main .author-head").inner_text()
    assert page.locator("main article").count() >= 1


def _top(target: Any) -> float:
    return float(target.evaluate("(node) => Math.abs(node.getBoundingClientRect().top)"))


@SCRIPTS
def test_the_language_is_chosen_and_stays(visit: Visit, scripts: bool) -> None:
    """On the page where the reader is; the browser's own language counts until then."""
    reader = visit(language="en", scripts=scripts)
    page = reader.page
    reader.go("/blog/?q=postgres")
    page.get_by_role("link", name="한국어", exact=True).click()
    assert page.locator("html").get_attribute("lang") == "ko"
    assert page.url.endswith("/blog/?q=postgres")
    reader.go("/blog/login")
    assert page.locator("html").get_attribute("lang") == "ko"
    page.get_by_role("link", name="English", exact=True).click()
    assert page.locator("html").get_attribute("lang") == "en"


@pytest.mark.parametrize("back", ["https://example.org/", "//example.org/", "/\\example.org", "x"])
def test_the_choice_of_a_language_leads_nowhere_else(platform: Platform, back: str) -> None:
    answer = platform.client.get("/blog/language", params={"to": "ko", "back": back})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/blog/"


@pytest.mark.parametrize(("system", "other"), [("light", "dark"), ("dark", "light")])
def test_the_colours_follow_the_system_until_they_are_chosen(
    visit: Visit, system: str, other: str
) -> None:
    """The choice holds on every page and in every tab, from the first paint on."""
    reader = visit(scheme=system)
    page = reader.page
    reader.go("/blog/")
    of_system = _background(page)
    page.emulate_media(color_scheme=other)
    wait_until(lambda: _background(page) != of_system, 5, "the page follows the system")
    of_other = _background(page)
    page.emulate_media(color_scheme=system)
    wait_until(lambda: _background(page) == of_system, 5, "the page follows the system back")
    for _ in range(3):
        page.locator("#theme").click()
        repaint(page)
        if _background(page) == of_other:
            break
    assert _background(page) == of_other
    second = reader.tab()
    second.emulate_media(color_scheme=system)
    second.goto(f"{reader.url}/blog/login", wait_until="commit")
    second.locator("main").wait_for()
    assert _background(second) == of_other
    second.reload()
    assert _background(second) == of_other


def _background(page: Any) -> str:
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


@SCRIPTS
@LANGUAGES
@pytest.mark.parametrize("path", ["/blog/nowhere", "/blog/posts/999999", "/blog/posts/x"])
def test_what_is_not_there_is_a_page_with_the_request_id(
    visit: Visit, language: str, scripts: bool, path: str
) -> None:
    reader = visit(language=language, scripts=scripts)
    reader.expect(404)
    answer = reader.go(path)
    assert answer.status == 404
    assert heading(reader.page) == reader.words("error.title_404")
    assert answer.headers["x-request-id"] in reader.page.locator("main").inner_text()


def test_a_fault_is_a_page_with_the_request_id(visit: Visit, platform: Platform) -> None:
    """The database is away: what is cached is still read, the rest says when to come back."""
    reader = visit(language="ko")
    reader.expect(503)
    platform.titanium("stop", "postgres")
    try:
        answer = reader.go("/blog/posts/987654")
        assert answer.status == 503
        assert heading(reader.page) == reader.words("error.title_503")
        assert answer.headers["x-request-id"] in reader.page.locator("main").inner_text()
        assert int(answer.headers["retry-after"]) >= 1
    finally:
        platform.titanium("start", "postgres")
        wait_until(platform.healthy, 30, "the platform is healthy again")


def test_feeds_and_maps_name_what_is_there(platform: Platform) -> None:
    """Atom for all, one category, one author; every address in the map answers."""
    atom = {"a": "http://www.w3.org/2005/Atom"}
    newest = platform.client.get("/api/posts", params={"limit": 1}).json()[0]
    for query in ("", f"?category={newest['category']['slug']}", f"?author={newest['author']}"):
        answer = platform.client.get(f"/blog/feed.xml{query}")
        assert answer.headers["content-type"].startswith("application/atom+xml")
        feed = ElementTree.fromstring(answer.content)  # noqa: S314 - our own
        assert feed.findtext("a:entry/a:title", namespaces=atom) == newest["title"]
        link = feed.find("a:entry/a:link", atom)
        assert link is not None
        assert link.get("href", "").startswith(f"{platform.url}/blog/posts/")
    robots = platform.client.get("/robots.txt")
    assert f"Sitemap: {platform.url}/blog/sitemap.xml" in robots.text
    site = ElementTree.fromstring(platform.client.get("/blog/sitemap.xml").content)  # noqa: S314
    places = [node.text or "" for node in site.iter() if node.tag.endswith("}loc")]
    assert len(places) >= 41
    assert f"{platform.url}/blog/" in places
    for place in places[:5]:
        assert platform.client.get(place).status_code == 200
