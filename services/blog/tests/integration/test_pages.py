"""The web pages."""

from __future__ import annotations

import re

import pytest

from services.blog.tests.support import BlogUnderTest

pytestmark = pytest.mark.integration


async def test_the_list_has_one_address(blog: BlogUnderTest) -> None:
    for method in ("GET", "HEAD"):
        response = await blog.client.request(method, "/blog")
        assert (response.status_code, response.headers["location"]) == (308, "/blog/")


async def test_an_empty_blog_says_so(blog: BlogUnderTest) -> None:
    page = await blog.client.get("/blog/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "No posts here" in page.text


async def test_the_list_shows_posts_categories_and_languages(blog: BlogUnderTest) -> None:
    await blog.created("안녕하세요", "반갑습니다", category_name="일상")
    post = await blog.created("Hello & welcome", "The *first* post", category_name="News")
    page = (await blog.client.get("/blog/")).text
    assert page.startswith('<!doctype html>\n<html lang="en">')
    assert f'<a href="/blog/posts/{post["id"]}">Hello &amp; welcome</a>' in page
    assert "The first post" in page
    assert '<article class="summary" lang="ko">' in page
    assert 'href="/blog/?category=news"' in page
    assert page.count("<h1>") == 1
    only = (await blog.client.get("/blog/?category=news")).text
    assert "Category: News" in only
    assert "안녕하세요" not in only


async def test_older_pages_are_linked(blog: BlogUnderTest) -> None:
    for number in range(21):
        await blog.created(f"Post number {number}")
    page = (await blog.client.get("/blog/?q=number")).text
    match = re.search(r'href="(/blog/\?[^"]+)" rel="next"', page)
    assert match
    older = (await blog.client.get(match[1].replace("&amp;", "&"))).text
    assert older.count("<article") == 1
    assert 'href="/blog/?q=number">First page' in older


async def test_a_post_is_readable(blog: BlogUnderTest) -> None:
    post = await blog.created("Title <1>", "Some **bold** text", category_name="News")
    page = await blog.client.get(f"/blog/posts/{post['id']}")
    assert page.status_code == 200
    assert "<h1>Title &lt;1&gt;</h1>" in page.text
    assert "<strong>bold</strong>" in page.text
    assert '<meta name="description" content="Some bold text">' in page.text
    again = await blog.client.get(page.url, headers={"If-None-Match": page.headers["etag"]})
    assert again.status_code == 304


async def test_a_page_follows_changes_of_its_post(blog: BlogUnderTest) -> None:
    post = await blog.created("Before")
    address = f"/blog/posts/{post['id']}"
    assert "Before" in (await blog.client.get(address)).text
    await blog.client.patch(
        f"/api/posts/{post['id']}", json={"title": "After"}, headers=blog.bearer()
    )
    assert "After" in (await blog.client.get(address)).text
    assert "After" in (await blog.client.get("/blog/")).text
    await blog.client.delete(f"/api/posts/{post['id']}", headers=blog.bearer())
    assert (await blog.client.get(address)).status_code == 404


@pytest.mark.parametrize(
    "path", ["posts/1", "posts/0", "posts/x", "posts/9223372036854775808", "nothing", "api/posts"]
)
async def test_what_is_not_there_is_a_page_that_says_so(blog: BlogUnderTest, path: str) -> None:
    page = await blog.client.get(f"/blog/{path}", headers={"x-request-id": "req-1"})
    assert page.status_code == 404
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "no-store"
    assert "<h1>Not Found</h1>" in page.text
    assert "request req-1" in page.text
    assert 'href="/blog/"' in page.text
    head = await blog.client.head(f"/blog/{path}")
    assert head.status_code == 404


async def test_odd_parameters_are_forgiven(blog: BlogUnderTest) -> None:
    await blog.created()
    for query in ("cursor=x", "q=%00%01", f"q={'x' * 5000}", "category=%ff", "limit=0", "q=&q="):
        assert (await blog.client.get(f"/blog/?{query}")).status_code == 200


async def test_the_stylesheet_may_be_kept_for_ever(blog: BlogUnderTest) -> None:
    page = (await blog.client.get("/blog/")).text
    match = re.search(
        r'<link rel="stylesheet" href="(/blog/static/style\.[0-9a-f]{12}\.css)">', page
    )
    assert match
    style = await blog.client.get(match[1])
    assert style.headers["content-type"] == "text/css; charset=utf-8"
    assert "immutable" in style.headers["cache-control"]
    assert (await blog.client.get("/blog/static/style.0.css")).status_code == 404


async def test_pages_need_nothing_that_a_strict_policy_forbids(blog: BlogUnderTest) -> None:
    post = await blog.created("t", "|a|\n|:-:|\n|b|\n\n```python\nx\n```")
    for address in ("/blog/", f"/blog/posts/{post['id']}", "/blog/nothing"):
        page = (await blog.client.get(address)).text
        assert "<script" not in page
        assert " style=" not in page
        assert "<style" not in page
        assert not re.search(r"\son\w+=", page)
        assert not re.search(r'(?:src|href)="(?:https?:)?//', page)
