"""What the API refuses, and who may do what, on a real database."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import pytest

from services.blog.tests.support import BlogUnderTest

pytestmark = pytest.mark.integration

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


@pytest.mark.parametrize(
    ("method", "address", "allow"),
    [
        ("PUT", "/api/posts", "GET, HEAD, POST"),
        ("POST", "/api/posts/1", "DELETE, GET, HEAD, PATCH"),
        ("DELETE", "/api/categories", "GET, HEAD"),
        ("POST", "/blog/", "GET, HEAD"),
    ],
)
async def test_405_names_every_method_of_the_address(
    blog: BlogUnderTest, method: str, address: str, allow: str
) -> None:
    response = await blog.client.request(method, address)
    assert (response.status_code, response.headers["allow"]) == (405, allow)
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "address",
    [
        "/api/posts?limit=0",
        "/api/posts?limit=101",
        "/api/posts?limit=x",
        "/api/posts?offset=-1",
        "/api/posts?cursor=x",
        f"/api/posts?cursor={'!' * 28}",
        "/api/posts?q=%00",
        f"/api/posts?q={'x' * 201}",
        f"/api/posts?author={'x' * 65}",
        f"/api/posts?category={'x' * 101}",
        "/api/posts/0",
        "/api/posts/x",
        f"/api/posts/{2**63}",
        f"/api/posts/{'9' * 5000}",
    ],
)
async def test_bar_54_every_parameter_is_bounded(blog: BlogUnderTest, address: str) -> None:
    response = await blog.client.get(address)
    assert response.status_code == 422
    assert response.json()["errors"]


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"title": "t"},
        {"title": "", "content": "c"},
        {"title": "  ", "content": "c"},
        {"title": "t\nt", "content": "c"},
        {"title": "t\x00", "content": "c"},
        {"title": "t", "content": "c\x00"},
        {"title": "t", "content": " \n "},
        {"title": "t" * 201, "content": "c"},
        {"title": "t", "content": "c" * 100_001},
        {"title": "t", "content": "c", "category_name": "n" * 51},
        {"title": "t", "content": "c", "category_name": "n\tn"},
        {"title": 5, "content": "c"},
        {"title": None, "content": "c"},
        {"title": "t", "content": ["c"]},
        {"title": "t", "content": "c", "category_name": {}},
        [],
        "text",
        None,
    ],
)
async def test_bar_54_every_member_is_typed_and_bounded(blog: BlogUnderTest, document: Any) -> None:
    response = await blog.client.post("/api/posts", json=document, headers=blog.bearer())
    assert response.status_code == 422, response.text
    assert response.json()["errors"]
    assert (await blog.client.get("/api/posts")).json() == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"title": "t", "title": "u", "content": "c"}', 400),
        (b'{"title": "t", "content": "\xff"}', 400),
        (b'{"title": "t", "content": "c", "x": ' + b"[" * 5000 + b"]" * 5000 + b"}", 400),
        (b'{"title": "t", "content": NaN}', 400),
        (b'{"title": "t"', 400),
        (b'{"title": "\\ud800", "content": "c"}', 422),
        (b'{"title": "t", "content": "c", "n": ' + b"9" * 9000 + b"}", 400),
        (b"", 422),
    ],
)
async def test_a_body_that_is_not_clean_json_is_refused(
    blog: BlogUnderTest, body: bytes, status: int
) -> None:
    headers = {**blog.bearer(), "content-type": "application/json"}
    response = await blog.client.post("/api/posts", content=body, headers=headers)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"


async def test_other_content_types_are_415_and_large_bodies_413(blog: BlogUnderTest) -> None:
    headers = {**blog.bearer(), "content-type": "text/plain"}
    response = await blog.client.post("/api/posts", content=b"{}", headers=headers)
    assert response.status_code == 415
    headers["content-type"] = "application/json"
    body = b'"' + b"x" * (1024 * 1024) + b'"'
    response = await blog.client.post("/api/posts", content=body, headers=headers)
    assert response.status_code == 413


async def test_the_largest_post_is_taken(blog: BlogUnderTest) -> None:
    post = await blog.created("가" * 200, "한" * 100_000, category_name="나" * 50)
    assert len(post["content"]) == 100_000
    distinct = "".join(chr(0x4E00 + n % 20_000) for n in range(100_000))
    assert len((await blog.created("t", distinct))["content"]) == 100_000


async def test_every_unicode_plane_and_hostile_text_comes_back_unchanged(
    blog: BlogUnderTest,
) -> None:
    planes = "".join(chr(plane * 0x10000 + 0x100) for plane in range(17))
    odd = "\u202e\u0301\ufeff\U0001f468\u200d\U0001f469\x7f" + unicodedata.normalize("NFD", "한글")
    hostile = "'; DROP TABLE posts; -- <script>alert(1)</script> {{7*7}} %s $1 \\' \""
    for text in (planes, odd.replace("\x7f", ""), hostile):
        post = await blog.created(text, text, category_name=text[:50])
        read = (await blog.client.get(f"/api/posts/{post['id']}")).json()
        assert (read["title"], read["content"]) == (text, text)
        params = {"q": text, "category": text[:100], "author": text[:64]}
        assert (await blog.client.get("/api/posts", params=params)).status_code == 200
    assert len((await blog.client.get("/api/posts")).json()) == 3


async def test_bar_50_members_that_are_not_the_callers_to_set_are_ignored(
    blog: BlogUnderTest,
) -> None:
    forged: dict[str, Any] = {
        "id": 777,
        "author": "tom",
        "author_id": 2,
        "version": 9,
        "created_at": "2000-01-01T00:00:00Z",
        "content_html": "<script>",
        "excerpt": "forged",
        "role": "admin",
        "category_id": 1,
    }
    post = await blog.created("t", "c", **forged)
    address = f"/api/posts/{post['id']}"
    patched = await blog.client.patch(address, json={**forged, "title": "u"}, headers=blog.bearer())
    for document in (post, patched.json()):
        assert document["id"] != 777
        assert (document["author"], document["excerpt"]) == ("soyeon", "c")
        assert document["content_html"] == "<p>c</p>\n"
        assert not document["created_at"].startswith("2000")
    (row,) = await blog.sql("SELECT author_id, version FROM posts")
    assert tuple(row) == (1, 2)


@pytest.mark.parametrize("caller", ["anonymous", "other", "owner"])
@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("GET", {"anonymous": 200, "other": 200, "owner": 200}),
        ("PATCH", {"anonymous": 401, "other": 403, "owner": 200}),
        ("DELETE", {"anonymous": 401, "other": 403, "owner": 204}),
        ("POST", {"anonymous": 401, "other": 201, "owner": 201}),
    ],
)
async def test_bar_49_who_may_do_what(
    blog: BlogUnderTest, method: str, caller: str, expected: dict[str, int]
) -> None:
    post = await blog.created()
    headers = {
        "anonymous": {},
        "other": blog.bearer(2, "tom"),
        "owner": blog.bearer(),
    }[caller]
    address = "/api/posts" if method == "POST" else f"/api/posts/{post['id']}"
    body = {"title": "x", "content": "y"} if method in ("POST", "PATCH") else None
    response = await blog.client.request(method, address, headers=headers, json=body)
    assert response.status_code == expected[caller]
    if response.status_code == 401:
        assert response.headers["www-authenticate"].startswith("Bearer")
    if response.status_code in (401, 403):
        read = await blog.client.get(f"/api/posts/{post['id']}")
        assert read.json() == post


@pytest.mark.parametrize("token", ["x", "a.b.c", "Ω", ""])
async def test_bad_tokens_are_401(blog: BlogUnderTest, token: str) -> None:
    response = await blog.client.post(
        "/api/posts",
        json={"title": "t", "content": "c"},
        headers=[(b"authorization", f"Bearer {token}".encode())],
    )
    assert response.status_code == 401
