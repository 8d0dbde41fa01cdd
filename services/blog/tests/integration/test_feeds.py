"""The feed and the sitemap, for programs."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from services.blog.tests.support import BlogUnderTest

pytestmark = pytest.mark.integration

ATOM = "{http://www.w3.org/2005/Atom}"
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
SITE = "http://127.0.0.1:8080"


async def test_the_feed_has_the_newest_posts_with_their_text(blog: BlogUnderTest) -> None:
    await blog.created("첫 글", "반갑습니다 \x0b\x1f", category_name="일상")
    post = await blog.created("Ben & Jerry <3", "Some *text* ]]>", category_name="News")
    response = await blog.client.get("/blog/feed.xml")
    assert response.headers["content-type"] == "application/atom+xml; charset=utf-8"
    feed = ElementTree.fromstring(response.content)  # noqa: S314 - ours
    assert feed.findtext(f"{ATOM}id") == f"{SITE}/blog/feed.xml"
    entries = feed.findall(f"{ATOM}entry")
    assert [entry.findtext(f"{ATOM}title") for entry in entries] == ["Ben & Jerry <3", "첫 글"]
    first = entries[0]
    assert first.findtext(f"{ATOM}id") == f"{SITE}/blog/posts/{post['id']}"
    assert first.findtext(f"{ATOM}content") == "<p>Some <em>text</em> ]]&gt;</p>\n"
    assert first.findtext(f"{ATOM}author/{ATOM}name") == "soyeon"
    assert feed.findtext(f"{ATOM}updated") == first.findtext(f"{ATOM}updated")


@pytest.mark.parametrize("query", ["category=news", "author=soyeon"])
async def test_a_feed_can_be_of_a_category_or_an_author(blog: BlogUnderTest, query: str) -> None:
    await blog.created("Wanted", category_name="News")
    await blog.created("Other", user_id=2, username="minseo", category_name="일상")
    response = await blog.client.get(f"/blog/feed.xml?{query}")
    feed = ElementTree.fromstring(response.content)  # noqa: S314
    assert [title.text for title in feed.iterfind(f"{ATOM}entry/{ATOM}title")] == ["Wanted"]
    links = {link.get("rel"): link.get("href") for link in feed.findall(f"{ATOM}link")}
    assert links == {
        "self": f"{SITE}/blog/feed.xml?{query}",
        "alternate": f"{SITE}/blog/?{query}",
    }


async def test_an_empty_feed_is_a_feed(blog: BlogUnderTest) -> None:
    feed = ElementTree.fromstring((await blog.client.get("/blog/feed.xml")).content)  # noqa: S314
    assert feed.findtext(f"{ATOM}updated") == "1970-01-01T00:00:00Z"
    assert feed.findtext(f"{ATOM}author/{ATOM}name"), (
        "RFC 4287: of the feed, where no entry has one"
    )


async def test_the_sitemap_names_every_post(blog: BlogUnderTest) -> None:
    posts = [await blog.created(f"Post {number}", category_name="C & D") for number in range(3)]
    response = await blog.client.get("/blog/sitemap.xml")
    assert response.headers["content-type"] == "application/xml; charset=utf-8"
    places = [
        place.text
        for place in ElementTree.fromstring(response.content).iter(f"{MAP}loc")  # noqa: S314
    ]
    assert places[0] == f"{SITE}/blog/"
    assert places[2:] == [f"{SITE}/blog/posts/{post['id']}" for post in reversed(posts)]


async def test_robots_may_read_posts_and_not_the_forms(blog: BlogUnderTest) -> None:
    robots = await blog.client.get("/robots.txt")
    assert robots.headers["content-type"] == "text/plain; charset=utf-8"
    assert "Disallow: /blog/write\n" in robots.text
