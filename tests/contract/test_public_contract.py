"""The public HTTP contract (architecture, section 4), line by line, at the gateway."""

from __future__ import annotations

import html
import secrets
import time
from functools import partial

import httpx2
import pytest

from tests.support import Person, Platform, wait_until

pytestmark = pytest.mark.e2e

PROBLEM = {"type", "title", "status", "detail", "instance", "request_id"}
SUMMARY = {"id", "title", "excerpt", "author", "category", "created_at", "updated_at"}


def assert_problem(answer: httpx2.Response, status: int, path: str | None = None) -> None:
    """`answer` is RFC 9457 problem details with that status."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    body = answer.json()
    assert set(body) >= PROBLEM
    assert body["status"] == status
    assert body["request_id"]
    if path:
        assert body["instance"] == path


def test_root_leads_to_the_blog(platform: Platform) -> None:
    """GET / -> 307 to /blog/."""
    answer = platform.client.get("/")
    assert answer.status_code == 307
    assert answer.headers["location"].endswith("/blog/")


def test_pages_are_html(platform: Platform, person: Person) -> None:
    """GET /blog/ and a post's page answer HTML without a token."""
    post = platform.post(person, title="페이지 시험 <b>")
    listing = platform.client.get("/blog/")
    page = platform.client.get(f"/blog/posts/{post['id']}")
    for answer in (listing, page):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html")
    assert "페이지 시험 &lt;b&gt;" in page.text
    assert platform.client.get("/blog/posts/999999999").status_code == 404


def test_health_is_ok(platform: Platform) -> None:
    """GET /health -> 200 {"status":"ok"}."""
    answer = platform.client.get("/health")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok"}


def test_register_answers_the_account_once(platform: Platform) -> None:
    """POST /api/register -> 201, then 409, and 422 with fields for nonsense."""
    name = f"reg-{secrets.token_hex(5)}"
    body = {"username": name, "email": f"{name}@example.org", "password": "a long pass phrase"}
    created = platform.client.post("/api/register", json=body)
    assert created.status_code == 201
    assert set(created.json()) == {"id", "username", "email", "created_at"}
    assert_problem(platform.client.post("/api/register", json=body), 409, "/api/register")
    upper = {**body, "username": name.upper(), "email": f"x{body['email']}"}
    assert_problem(platform.client.post("/api/register", json=upper), 409)
    invalid = platform.client.post("/api/register", json={"username": "", "email": "no"})
    assert_problem(invalid, 422)
    fields = {error["field"] for error in invalid.json()["errors"]}
    assert fields == {"username", "email", "password"}


def test_login_answers_token_and_cookie(platform: Platform, person: Person) -> None:
    """POST /api/login -> the token twice (older clients), a lifetime, an HttpOnly cookie; 401."""
    login = {"username": person.username, "password": person.password}
    answer = httpx2.post(f"{platform.url}/api/login", json=login, trust_env=False)
    body = answer.json()
    assert answer.status_code == 200
    assert body["access_token"] == body["token"]
    assert body["token_type"].lower() == "bearer"
    assert 0 < body["expires_in"] <= 900
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie or "samesite=lax" in cookie
    wrong = platform.client.post("/api/login", json={**login, "password": "not the password"})
    unknown = platform.client.post(
        "/api/login", json={"username": f"nobody-{secrets.token_hex(4)}", "password": "whatever 1"}
    )
    assert_problem(wrong, 401)
    assert_problem(unknown, 401)
    assert wrong.json()["detail"] == unknown.json()["detail"]


def test_refresh_verify_and_logout(platform: Platform, person: Person) -> None:
    """Refresh by cookie or body, verify by bearer, logout ends the session."""
    verified = platform.client.get("/api/auth/verify", headers=person.bearer)
    assert verified.status_code == 200
    assert_problem(platform.client.get("/api/auth/verify"), 401)
    by_body = platform.client.post(
        "/api/auth/refresh", json={"refresh_token": person.refresh_token}
    )
    assert by_body.status_code == 200, by_body.text
    successor = by_body.cookies["titanium_refresh"]
    platform.client.cookies.clear()
    by_cookie = platform.client.post(
        "/api/auth/refresh", headers={"Cookie": f"titanium_refresh={successor}"}
    )
    assert by_cookie.status_code == 200, by_cookie.text
    token = by_cookie.json()["access_token"]
    last = by_cookie.cookies["titanium_refresh"]
    platform.client.cookies.clear()
    bearer = {"Authorization": f"Bearer {token}"}
    out = platform.client.post("/api/auth/logout", json={"refresh_token": last}, headers=bearer)
    assert out.status_code == 204
    assert "content-type" not in out.headers
    again = platform.client.post("/api/auth/refresh", json={"refresh_token": last})
    assert_problem(again, 401)
    time.sleep(1)
    assert_problem(platform.client.get("/api/users/me", headers=bearer), 401)


def shows(platform: Platform, path: str, text: str) -> bool:
    """Whether the page at `path` has `text` in its source."""
    return text in platform.client.get(path).text


def test_an_edit_of_the_profile_shows_on_the_authors_page(
    platform: Platform, person: Person
) -> None:
    """PATCH /api/users/me -> within half a minute at /blog/authors/{username}."""
    platform.post(person)
    page = f"/blog/authors/{person.username}"
    assert platform.client.get(page).status_code == 200
    for name in ("First <i>", "Second & last"):
        answer = platform.client.patch(
            "/api/users/me", json={"display_name": name, "bio": "One\nTwo"}, headers=person.bearer
        )
        assert answer.status_code == 200, answer.text
        heading = f"{html.escape(name)}</h1>"
        wait_until(partial(shows, platform, page, heading), 30, heading)
    assert ">One\nTwo</p>" in platform.client.get(page).text


def test_jwks_is_public_and_cacheable(platform: Platform) -> None:
    """GET /.well-known/jwks.json -> public keys only."""
    answer = platform.client.get("/.well-known/jwks.json")
    assert answer.status_code == 200
    assert "max-age" in answer.headers["cache-control"]
    keys = answer.json()["keys"]
    assert keys
    assert all("d" not in key and key["kid"] for key in keys)


def test_profiles_show_no_address(platform: Platform, person: Person) -> None:
    """GET /api/users/{username} -> public profile; 404 for nobody."""
    answer = platform.client.get(f"/api/users/{person.username}")
    assert answer.status_code == 200
    assert person.email not in answer.text
    assert_problem(platform.client.get("/api/users/nobody-of-that-name"), 404)


def test_own_account_can_be_read_changed_and_deleted(platform: Platform) -> None:
    """GET/PATCH/DELETE /api/users/me and PUT /api/users/me/password."""
    person = platform.register("own")
    path = "/api/users/me"
    assert_problem(platform.client.get(path), 401)
    me = platform.client.get(path, headers=person.bearer)
    assert me.json()["email"] == person.email
    changed = platform.client.patch(path, json={"bio": "글을 씁니다"}, headers=person.bearer)
    assert changed.status_code == 200, changed.text
    assert changed.json()["bio"] == "글을 씁니다"
    new = "another correct horse"
    put = platform.client.put(
        f"{path}/password",
        json={"current_password": person.password, "new_password": new},
        headers=person.bearer,
    )
    assert put.status_code == 204, put.text
    time.sleep(1)
    assert_problem(platform.client.get(path, headers=person.bearer), 401)
    person.password = new
    platform.login(person)
    post = platform.post(person)
    refused = platform.client.request(
        "DELETE", path, json={"password": "not it at all"}, headers=person.bearer
    )
    assert refused.status_code in (401, 403)
    gone = platform.client.request("DELETE", path, json={"password": new}, headers=person.bearer)
    assert gone.status_code == 204
    time.sleep(1)
    assert_problem(platform.client.get(path, headers=person.bearer), 401)
    assert_problem(platform.client.get(f"/api/posts/{post['id']}"), 404)


def test_posts_are_written_read_edited_and_deleted(platform: Platform, person: Person) -> None:
    """POST, GET, PATCH, DELETE of a post with ETag, Location, 304, 412 and 403."""
    body = {"title": "첫 글", "content": "# 안녕\n\n<script>x</script>", "category_name": "일상"}
    created = platform.client.post(
        "/api/posts", json={**body, "category_id": 7}, headers=person.bearer
    )
    assert created.status_code == 201, created.text
    post = created.json()
    path = created.headers["location"]
    assert path.endswith(f"/api/posts/{post['id']}")
    assert created.headers["etag"]
    assert post["content"] == body["content"]
    assert "<script" not in post["content_html"]
    assert post["author"] == person.username
    assert post["category"]["name"] == "일상"
    assert set(post["category"]) == {"id", "name", "slug", "color"}

    read = platform.client.get(path)
    assert read.json() == post
    etag = read.headers["etag"]
    assert platform.client.get(path, headers={"If-None-Match": etag}).status_code == 304
    other = platform.register("other")
    assert_problem(platform.client.patch(path, json={"title": "x"}, headers=other.bearer), 403)
    assert_problem(platform.client.delete(path, headers=other.bearer), 403)
    assert_problem(platform.client.patch(path, json={"title": "x"}), 401)

    edit = platform.client.patch(
        path, json={"title": "고친 글"}, headers={**person.bearer, "If-Match": etag}
    )
    assert edit.status_code == 200, edit.text
    assert edit.json()["title"] == "고친 글"
    assert edit.headers["etag"] != etag
    stale = platform.client.patch(
        path, json={"title": "zu spät"}, headers={**person.bearer, "If-Match": etag}
    )
    assert_problem(stale, 412)
    assert platform.client.get(path).json()["title"] == "고친 글"
    assert platform.client.delete(path, headers=person.bearer).status_code == 204
    assert_problem(platform.client.get(path), 404)


def test_lists_page_filter_and_search(platform: Platform) -> None:
    """GET /api/posts: a bare array, newest first, cursor in Link, filters and search."""
    person = platform.register("lister")
    category = f"목록-{secrets.token_hex(3)}"
    for number in range(5):
        answer = platform.client.post(
            "/api/posts",
            json={
                "title": f"도시락 만들기 {number}",
                "content": f"Quokka number {number} 김밥과 주먹밥",
                "category_name": category,
            },
            headers=person.bearer,
        )
        assert answer.status_code == 201, answer.text
    seen: list[int] = []
    path = f"/api/posts?author={person.username}&limit=2"
    while path:
        page = platform.client.get(path)
        assert page.status_code == 200
        assert isinstance(page.json(), list)
        assert all(set(item) == SUMMARY for item in page.json())
        seen += [item["id"] for item in page.json()]
        path = page.links.get("next", {}).get("url", "")
    assert len(seen) == 5
    assert seen == sorted(seen, reverse=True)
    mine = {"author": person.username}
    for query in ("주먹밥", "김밥", "quok", "도시락"):
        found = platform.client.get("/api/posts", params={"q": query, **mine})
        assert len(found.json()) == 5, query
    slug = page.json()[0]["category"]["slug"]
    assert len(platform.client.get("/api/posts", params={"category": slug}).json()) == 5
    for bad in ("limit=0", "limit=101", "limit=x", "offset=-1", "cursor=%00nonsense"):
        assert platform.client.get(f"/api/posts?{bad}").status_code in (400, 422), bad
    names = {item["name"]: item for item in platform.client.get("/api/categories").json()}
    assert names[category]["post_count"] == 5
    assert set(names[category]) == {"id", "name", "slug", "color", "post_count"}


def test_idempotency_key_makes_one_post(platform: Platform, person: Person) -> None:
    """Bar 13: the same key and body again answer the same post; another body is refused."""
    headers = {**person.bearer, "Idempotency-Key": secrets.token_hex(8)}
    body = {"title": "Only once", "content": "x"}
    first = platform.client.post("/api/posts", json=body, headers=headers)
    second = platform.client.post("/api/posts", json=body, headers=headers)
    assert first.status_code == second.status_code == 201
    assert first.json()["id"] == second.json()["id"]
    other = platform.client.post("/api/posts", json={**body, "title": "Other"}, headers=headers)
    assert_problem(other, 422)
    listed = platform.client.get("/api/posts", params={"author": person.username}).json()
    assert len(listed) == 1


def test_reference_is_published(platform: Platform) -> None:
    """GET /api/openapi.json and /api/docs."""
    document = platform.client.get("/api/openapi.json")
    assert document.status_code == 200
    assert document.json()["openapi"].startswith("3.1")
    assert "/api/posts/{post_id}" in document.json()["paths"] or any(
        path.startswith("/api/posts/{") for path in document.json()["paths"]
    )
    assert not any(path.startswith("/internal") for path in document.json()["paths"])
    page = platform.client.get("/api/docs")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("path", ["/posts?limit=3", "/categories", "/posts/999999999", "/nothing"])
def test_older_clients_prefix_answers_the_same(platform: Platform, path: str) -> None:
    """/blog/api/... answers exactly as /api/... does."""
    new, old = platform.client.get(f"/api{path}"), platform.client.get(f"/blog/api{path}")
    assert new.status_code == old.status_code
    if new.status_code == 200:
        assert new.content == old.content
    else:
        assert {**new.json(), "instance": "", "request_id": ""} == {
            **old.json(),
            "instance": "",
            "request_id": "",
        }


def test_unknown_paths_and_methods_are_problems(platform: Platform) -> None:
    """404 and 405 are problems; 405 names the methods."""
    assert_problem(platform.client.get("/api/nothing"), 404, "/api/nothing")
    assert_problem(platform.client.get("/internal/readyz"), 404)
    wrong = platform.client.put("/api/posts")
    assert_problem(wrong, 405)
    assert "POST" in wrong.headers["allow"]
    odd = platform.client.request("BREW", "/api/posts")
    assert odd.status_code in (400, 405)
    assert_problem(odd, odd.status_code)


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'{"title":"a","title":"b","content":"c"}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"title":1,"content":[]}', "application/json", 422),
        (b'{"title":"a\\u0000","content":"c"}', "application/json", 422),
        (b'{"title":"\\ud800","content":"c"}', "application/json", 422),
        (b"title=a", "application/x-www-form-urlencoded", 415),
        (b"", "application/json", 422),
        (b"[]", "application/json", 422),
        (b"null", "application/json", 422),
        (b'{"title":"a","content":"' + b"x" * 1_100_000 + b'"}', "application/json", 413),
    ],
    ids=lambda value: str(value)[:24],
)
def test_bad_bodies_are_problems(
    platform: Platform, person: Person, content: bytes, content_type: str, status: int
) -> None:
    """Bar 36 and the issue's list: a clear 4xx, never a 500."""
    answer = platform.client.post(
        "/api/posts", content=content, headers={**person.bearer, "Content-Type": content_type}
    )
    assert_problem(answer, status)


def test_every_unicode_plane_survives(platform: Platform, person: Person) -> None:
    """What a person writes comes back as it was, from each plane of Unicode."""
    samples = ["é", "한", "\u0301", "😀", "𝔘", "\U0002070e", "\U000e0041", "\U0010fffd", "\u202e"]
    text = " ".join(samples) + " '; DROP TABLE posts; -- <img src=x onerror=alert(1)>"
    post = platform.post(person, title=text[:150], content=text)
    read = platform.client.get(f"/api/posts/{post['id']}").json()
    assert read["content"] == text
    assert "<img" not in read["content_html"]
