"""GET /api/users/{username}."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

pytestmark = pytest.mark.integration


async def test_a_profile_is_public_and_has_no_address(service: Any) -> None:
    await service.register("minji")
    answer = await service.http.get("/api/users/MinJi")
    assert answer.status_code == 200
    assert set(answer.json()) == {"id", "username", "display_name", "bio", "created_at"}
    assert answer.json()["display_name"] == "minji"


async def test_a_profile_that_is_known_is_not_sent_again(service: Any) -> None:
    await service.register("minji")
    first = await service.http.get("/api/users/minji")
    again = await service.http.get(
        "/api/users/minji", headers={"If-None-Match": first.headers["etag"]}
    )
    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["etag"] == first.headers["etag"]
    head = await service.http.head("/api/users/minji")
    assert head.status_code == 200
    assert head.content == b""


async def test_a_change_shows_at_once(service: Any) -> None:
    bearer = await service.register("minji")
    before = await service.http.get("/api/users/minji")
    await service.http.patch("/api/users/me", json={"bio": "Hello"}, headers=bearer)
    after = await service.http.get(
        "/api/users/minji", headers={"If-None-Match": before.headers["etag"]}
    )
    assert after.status_code == 200
    assert after.json()["bio"] == "Hello"


NOBODY = ["nobody", "x", "a" * 31, "na\x00me", "' OR 1=1 --", "<b>", "\U0001f600", "a\ud7a4"]


async def test_unknown_and_impossible_names_are_404(service: Any) -> None:
    for name in NOBODY:
        answer = await service.http.get(f"/api/users/{quote(name)}")
        assert answer.status_code == 404, name
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"] == "There is no user of that name."


async def test_another_method_is_told_which_there_are(service: Any) -> None:
    for method, path, allowed in (
        ("PUT", "/api/users/minji", {"GET", "HEAD"}),
        ("GET", "/api/register", {"POST"}),
        ("POST", "/api/users/me/password", {"PUT"}),
        ("POST", "/api/users/me", {"DELETE", "GET", "HEAD", "PATCH"}),
    ):
        answer = await service.http.request(method, path)
        assert answer.status_code == 405, path
        assert set(answer.headers["allow"].split(", ")) == allowed
