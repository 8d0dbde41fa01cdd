"""The web pages for readers."""

from __future__ import annotations

import html
import json
import re

import pytest

from services.blog.tests.support import BlogUnderTest

pytestmark = pytest.mark.integration

TITLES = re.compile(r'<h2><a href="/blog/posts/\d+">(.*?)</a></h2>')


async def test_the_list_has_one_address(blog: BlogUnderTest) -> None:
    for method in ("GET", "HEAD"):
        response = await blog.client.request(method, "/blog")
        assert (response.status_code, response.headers["location"]) == (308, "/blog/")


async def test_an_empty_blog_says_so(blog: BlogUnderTest) -> None:
    page = await blog.client.get("/blog/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "No posts here yet." in page.text


async def test_the_list_shows_posts_categories_and_languages(blog: BlogUnderTest) -> None:
    await blog.created("안녕하세요", "반갑습니다", category_name="일상")
    post = await blog.created("Hello & welcome", "The *first* post", category_name="News")
    page = (await blog.client.get("/blog/")).text
    assert page.startswith('<!doctype html>\n<html lang="en">')
    assert f'<a href="/blog/posts/{post["id"]}">Hello &amp; welcome</a>' in page
    assert "The first post" in page
    assert '<div class="summary-text" lang="ko">' in page
    assert 'href="/blog/?category=news"' in page
    assert page.count("<h1") == 1
    only = (await blog.client.get("/blog/?category=news")).text
    assert "<h1>Category: News</h1>" in only
    assert 'href="/blog/feed.xml?category=news"' in only
    assert "안녕하세요" not in only


async def test_what_a_search_was_for_is_marked(blog: BlogUnderTest) -> None:
    await blog.created("돼지고기 김치찌개", "신김치 <b>로</b> 끓입니다")
    far = "word " * 300
    await blog.created("Far", f"{far} the needle & more {far}")
    page = (await blog.client.get("/blog/?q=김치")).text
    assert TITLES.findall(page) == ["돼지고기 <mark>김치</mark>찌개"]
    assert "신<mark>김치</mark> &lt;b&gt;로&lt;/b&gt;" in page
    assert 'value="김치"' in page
    page = (await blog.client.get("/blog/?q=Needle")).text
    assert "the <mark>needle</mark> &amp; more" in page
    nothing = (await blog.client.get("/blog/?q=haystack")).text
    assert "No posts match all of these words." in nothing


async def test_older_pages_are_linked(blog: BlogUnderTest) -> None:
    for number in range(21):
        await blog.created(f"Post number {number}")
    for start, first in (
        ("/blog/?q=number", "/blog/?q=number"),
        ("/blog/authors/soyeon", "/blog/authors/soyeon"),
    ):
        page = (await blog.client.get(start)).text
        match = re.search(r'href="([^"]+cursor=[^"]+)" rel="next"', page)
        assert match
        older = (await blog.client.get(html.unescape(match[1]))).text
        assert older.count("<article") == 1
        assert f'<a class="button" href="{first}">' in older
        assert 'rel="next"' not in older


async def test_a_post_is_readable(blog: BlogUnderTest) -> None:
    text = "Some **bold** text\n\n# One\n\n### Two\n\n# One\n\n```python\nx = 1\n```\n"
    post = await blog.created("Title <1>", text, category_name="News")
    page = await blog.client.get(f"/blog/posts/{post['id']}")
    assert page.status_code == 200
    assert '<h1 lang="en">Title &lt;1&gt;</h1>' in page.text
    assert "<strong>bold</strong>" in page.text
    assert "1 min read" in page.text
    assert re.findall(r'<li class="level-(\d)"><a href="#([^"]+)">', page.text) == [
        ("2", "s-one"),
        ("3", "s-two"),
        ("2", "s-one-2"),
    ]
    assert '<h3 id="s-two">Two</h3>' in page.text
    assert '<span class="n">1' in page.text
    again = await blog.client.get(page.url, headers={"If-None-Match": page.headers["etag"]})
    assert again.status_code == 304


async def test_a_post_tells_other_programs_what_it_is(blog: BlogUnderTest) -> None:
    post = await blog.created("A </script> title", "Some text", username="민서")
    page = (await blog.client.get(f"/blog/posts/{post['id']}")).text
    address = f"http://127.0.0.1:8080/blog/posts/{post['id']}"
    assert f'<link rel="canonical" href="{address}">' in page
    assert '<meta property="og:title" content="A &lt;/script&gt; title">' in page
    assert '<meta name="description" content="Some text">' in page
    match = re.search(r'<script type="application/ld\+json">(.*?)</script>', page)
    assert match
    data = json.loads(match[1])
    assert data["headline"] == "A </script> title"
    assert data["author"]["url"] == "http://127.0.0.1:8080/blog/authors/%EB%AF%BC%EC%84%9C"
    assert data["@id"] == address


async def test_addresses_come_from_the_settings_and_never_from_the_request(
    blog: BlogUnderTest,
) -> None:
    post = await blog.created()
    for path in (f"posts/{post['id']}", "", "feed.xml", "sitemap.xml"):
        page = await blog.client.get(f"/blog/{path}", headers={"host": "evil.example"})
        assert "evil.example" not in page.text
    robots = await blog.client.get("/robots.txt", headers={"host": "evil.example"})
    assert "Sitemap: http://127.0.0.1:8080/blog/sitemap.xml\n" in robots.text


async def test_a_post_leads_to_posts_like_it(blog: BlogUnderTest) -> None:
    for number in range(5):
        await blog.created(f"Bread {number}", "Flour and water", category_name="Kitchen")
    other = await blog.created("Sourdough starters", "Patience", category_name="News")
    post = await blog.created("Keeping sourdough alive", "Feed it", category_name="News")
    page = (await blog.client.get(f"/blog/posts/{post['id']}")).text
    related = re.findall(r'<h3><a href="/blog/posts/(\d+)">', page)
    assert related[0] == str(other["id"])
    assert len(related) == 3
    await blog.client.delete(f"/api/posts/{other['id']}", headers=blog.bearer())
    page = (await blog.client.get(f"/blog/posts/{post['id']}")).text
    assert "Sourdough starters" not in page


async def test_an_author_has_a_page(blog: BlogUnderTest) -> None:
    await blog.created("One", category_name="News")
    await blog.created("Two", category_name="News")
    await blog.created("Other", user_id=2, username="민서")
    page = (await blog.client.get("/blog/authors/SOYEON")).text
    assert "<h1>soyeon</h1>" in page
    assert "2 posts" in page
    assert TITLES.findall(page) == ["Two", "One"]
    assert 'href="/blog/feed.xml?author=soyeon"' in page
    assert (await blog.client.get("/blog/authors/민서")).text.count("<article") == 1
    assert (await blog.client.get("/blog/authors/nobody")).status_code == 404


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


async def test_what_is_not_there_is_a_page_that_says_so(blog: BlogUnderTest) -> None:
    posts = ("posts/1", "posts/0", "posts/x", "posts/9223372036854775808")
    for path in (*posts, "nothing", "api/posts"):
        page = await blog.client.get(f"/blog/{path}", headers={"x-request-id": "req-1"})
        assert page.status_code == 404, path
        assert page.headers["content-type"] == "text/html; charset=utf-8", path
        assert page.headers["cache-control"] == "no-store", path
        assert "<h1>There is nothing here</h1>" in page.text, path
        assert "request req-1" in page.text, path
        assert 'href="/blog/"' in page.text, path
        head = await blog.client.head(f"/blog/{path}")
        assert head.status_code == 404, path


async def test_an_unexpected_error_is_a_page_with_the_request_id(
    blog: BlogUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr(type(blog.app.state.blog.reader), "page", broken)
    page = await blog.client.get("/blog/?q=1", headers={"x-request-id": "req-2"})
    assert page.status_code == 500
    assert "Something broke on our side" in page.text
    assert "request req-2" in page.text
    assert "secret" not in page.text
    assert '<a class="button primary" href="/blog/?q=1">' in page.text


async def test_odd_parameters_are_forgiven(blog: BlogUnderTest) -> None:
    await blog.created()
    for query in ("cursor=x", "q=%00%01", f"q={'x' * 5000}", "category=%00", "limit=0", "q=&q="):
        assert (await blog.client.get(f"/blog/?{query}")).status_code == 200
    for name in ("%00", "x" * 200, "%ff", "a%2Fb"):
        assert (await blog.client.get(f"/blog/authors/{name}")).status_code == 404


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "There is nothing here"), ("ko", "여기에는 아무것도 없습니다")],
)
async def test_a_category_that_is_not_there_is_404(
    blog: BlogUnderTest, language: str, said: str
) -> None:
    """Also with a search; one that is there may have no hit, or no older post."""
    post = await blog.created(category_name="News")
    headers = {"accept-language": language}
    for query in ("category=unknown", "category=unknown&q=first", "category=%ff&cursor=x"):
        page = await blog.client.get(f"/blog/?{query}", headers=headers)
        assert (page.status_code, page.headers["cache-control"]) == (404, "no-store"), query
        assert said in page.text
        assert f'<html lang="{language}">' in page.text
    for query in ("category=news", "category=News&q=nothing", "category=news&author=nobody"):
        page = await blog.client.get(f"/blog/?{query}", headers=headers)
        assert page.status_code == 200, query
    gone = f"/api/posts/{post['id']}"
    assert (await blog.client.delete(gone, headers=blog.bearer())).status_code == 204
    page = await blog.client.get("/blog/?category=news", headers=headers)
    assert page.status_code == 404


async def test_static_files_may_be_kept_for_ever(blog: BlogUnderTest) -> None:
    page = (await blog.client.get("/blog/")).text
    files = re.findall(r'(?:href|src)="(/blog/static/[^"]+)"', page)
    assert {name.split("/")[-1].split(".")[0] for name in files} >= {"style", "theme", "icon"}
    for address in files:
        found = await blog.client.get(address)
        assert found.status_code == 200
        assert "immutable" in found.headers["cache-control"]
    style = next(name for name in files if name.endswith(".css"))
    other = re.sub(r"[0-9a-f]{12}", "0" * 12, style)
    found = await blog.client.get(other)
    assert (found.status_code, found.headers["cache-control"]) == (200, "no-store")
    for name in ("style.0.css", "nothing.000000000000.css", "style.css", "..%2Fpages.py"):
        assert (await blog.client.get(f"/blog/static/{name}")).status_code == 404


async def test_pages_need_nothing_that_a_strict_policy_forbids(blog: BlogUnderTest) -> None:
    post = await blog.created("t", "|a|\n|:-:|\n|b|\n\n```python\nx\n```")
    for address in ("/blog/", f"/blog/posts/{post['id']}", "/blog/authors/soyeon", "/blog/nothing"):
        page = (await blog.client.get(address)).text
        for script in re.findall(r"<script([^>]*)>", page):
            assert "src=" in script or re.search(r'type="application/(ld\+)?json"', script)
        assert " style=" not in page
        assert "<style" not in page
        assert not re.search(r"\son\w+=", page)
        assert not re.search(r'src="(?:https?:)?//', page)
