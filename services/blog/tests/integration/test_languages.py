"""Pages in Korean and in English."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from services.blog.tests.support import BlogUnderTest

pytestmark = pytest.mark.integration

ENGLISH, KOREAN = '<html lang="en">', '<html lang="ko">'


async def test_the_cookie_decides_then_the_browser(blog: BlogUnderTest) -> None:
    post = await blog.created()
    paths = ("", f"posts/{post['id']}", "authors/soyeon", "nothing", "write", "login")
    for accepted, cookie, expected in (
        ("", "", ENGLISH),
        ("ko-KR,ko;q=0.9,en;q=0.8", "", KOREAN),
        ("en", "lang=ko", KOREAN),
        ("ko", "a=b; lang=en; c=d", ENGLISH),
        ("ko", "lang=fr", KOREAN),
        ("fr", "xlang=ko", ENGLISH),
    ):
        headers = {"accept-language": accepted, "cookie": cookie}
        for path in paths:
            # An address of its own: the first page of each is made, the second one is cached.
            address = f"/blog/{path}?{quote(accepted + cookie)}"
            for _ in range(2):
                page = await blog.client.get(address, headers=headers)
                assert expected in page.text, (path, headers)
                assert page.headers["vary"] == "Accept-Language, Cookie"


async def test_a_cached_page_is_cached_by_language(blog: BlogUnderTest) -> None:
    await blog.created()
    tags = {}
    for language in ("ko", "en", "ko", "en"):
        page = await blog.client.get("/blog/", headers={"accept-language": language})
        assert f'<html lang="{language}">' in page.text
        assert tags.setdefault(language, page.headers["etag"]) == page.headers["etag"]
    assert tags["ko"] != tags["en"]
    again = {"accept-language": "ko", "if-none-match": tags["ko"]}
    assert (await blog.client.get("/blog/", headers=again)).status_code == 304
    other = {"accept-language": "en", "if-none-match": tags["ko"]}
    assert (await blog.client.get("/blog/", headers=other)).status_code == 200


async def test_a_choice_is_kept_and_leads_back(blog: BlogUnderTest) -> None:
    page = await blog.client.get("/blog/?q=%EA%B9%80&x=1")
    assert 'href="/blog/language?to=ko&amp;back=/blog/%3Fq%3D%25EA%25B9%2580%26x%3D1"' in page.text
    address = "/blog/language?to=ko&back=/blog/%3Fq%3D%25EA%25B9%2580%26x%3D1"
    chosen = await blog.client.get(address)
    assert chosen.status_code == 303
    assert chosen.headers["location"] == "/blog/?q=%EA%B9%80&x=1"
    assert chosen.headers["cache-control"] == "no-store"
    cookie = chosen.headers["set-cookie"]
    assert cookie == "lang=ko; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax"
    secure = await blog.client.get(address, headers={"x-forwarded-proto": "https"})
    assert secure.headers["set-cookie"].startswith("__Host-lang=ko; Path=/;")
    assert secure.headers["set-cookie"].endswith("; Secure")
    headers = {"x-forwarded-proto": "https", "cookie": "lang=en; __Host-lang=ko"}
    assert KOREAN in (await blog.client.get("/blog/", headers=headers)).text


async def test_a_choice_never_leads_to_another_site(blog: BlogUnderTest) -> None:
    for back in (
        "https://evil.example/",
        "//evil.example",
        "/blog//evil.example",
        "/blog/\\evil.example",
        "/api/posts",
        "/blogs",
        "blog/",
        "/blog/\r\nSet-Cookie: a=b",
        "javascript:alert(1)",
    ):
        chosen = await blog.client.get("/blog/language", params={"to": "en", "back": back})
        assert chosen.headers["location"] == "/blog/", back
        assert "a=b" not in chosen.headers["set-cookie"], back


async def test_an_unknown_language_is_not_there(blog: BlogUnderTest) -> None:
    response = await blog.client.get("/blog/language?to=fr")
    assert response.status_code == 404
    assert "set-cookie" not in response.headers


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_bar_52_another_site_changes_no_language(blog: BlogUnderTest, site: str) -> None:
    address = "/blog/language?to=ko&back=/blog/write"
    answer = await blog.client.get(address, headers={"sec-fetch-site": site})
    assert (answer.status_code, answer.headers["location"]) == (303, "/blog/write")
    assert "set-cookie" not in answer.headers
    for own in ("same-origin", "none"):
        answer = await blog.client.get(address, headers={"sec-fetch-site": own})
        assert answer.headers["set-cookie"].startswith("lang=ko;")
