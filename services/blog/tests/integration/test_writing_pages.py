"""The pages for writers, and the preview."""

from __future__ import annotations

import re
from itertools import product

import pytest

from services.blog.tests.payloads import PAYLOADS
from services.blog.tests.support import BlogUnderTest
from titanium_blog.adapters.article import article
from titanium_blog.domain import limits
from titanium_blog.domain.language import LANGUAGES

pytestmark = pytest.mark.integration

PAGES = ("/blog/register", "/blog/login", "/blog/account", "/blog/write", "/blog/posts/7/edit")


async def test_a_writers_page_is_the_same_for_everybody_and_in_the_readers_language(
    blog: BlogUnderTest,
) -> None:
    for path, language in product(PAGES, LANGUAGES):
        headers = {"Accept-Language": language}
        response = await blog.client.get(path, headers=headers)
        assert response.status_code == 200, path
        assert f'<html lang="{language}">' in response.text, path
        assert '<meta name="robots" content="noindex">' in response.text, path
        assert "set-cookie" not in response.headers, path
        signed_in = await blog.client.get(path, headers={**headers, **blog.bearer()})
        assert signed_in.content == response.content, path


async def test_without_scripts_no_form_can_be_sent_and_the_page_says_why(
    blog: BlogUnderTest,
) -> None:
    for path in PAGES:
        page = (await blog.client.get(path, headers={"Accept-Language": "en"})).text
        assert "<noscript>" in page, path
        for form in re.findall(r"<form\b(?![^>]*role=\"search\").*?</form>", page, re.DOTALL):
            assert 'method="post"' in form, path  # a password never gets into an address
            for button in re.findall(r"<button\b[^>]*type=\"submit\"[^>]*>", form):
                assert "disabled" in button or "<fieldset disabled>" in form, path


async def test_the_editor_of_a_post_that_cannot_be_is_no_page(blog: BlogUnderTest) -> None:
    for number in ("x", "-1", "1.5", "0", "007", str(limits.ID + 1), "9" * 5000):
        assert (await blog.client.get(f"/blog/posts/{number}/edit")).status_code == 404


async def test_the_preview_is_what_the_posts_page_shows(blog: BlogUnderTest) -> None:
    text = "## Tides\n\n```python\nhour % 12\n```\n\n| a |\n|---|\n| 물때 |\n"
    post = await blog.created("A title", text)
    response = await blog.client.post(
        "/api/preview", json={"content": text, "other": 1}, headers=blog.bearer()
    )
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    page = (await blog.client.get(f"/blog/posts/{post['id']}")).text
    assert response.json()["content_html"] in page


async def test_the_preview_is_for_who_is_logged_in(blog: BlogUnderTest) -> None:
    response = await blog.client.post("/api/preview", json={"content": "x"})
    assert response.status_code == 401


async def test_the_preview_has_the_bounds_of_a_post(blog: BlogUnderTest) -> None:
    for content in ("", "  \n", "x" * (limits.CONTENT + 1), None, 7):
        response = await blog.client.post(
            "/api/preview", json={"content": content}, headers=blog.bearer()
        )
        assert response.status_code == 422
        assert response.json()["errors"][0]["field"] == "content"
    response = await blog.client.post(
        "/api/preview", json={"content": ">" * 200 + " x"}, headers=blog.bearer()
    )
    assert response.status_code == 422  # nested too deep, as for a post


async def test_bar_51_the_preview_is_what_the_sanitizer_lets_through(blog: BlogUnderTest) -> None:
    for payload in PAYLOADS:
        response = await blog.client.post(
            "/api/preview", json={"content": payload}, headers=blog.bearer()
        )
        assert response.headers["content-type"] == "application/json"
        assert response.json() == {"content_html": article(payload).html}
