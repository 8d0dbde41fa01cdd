"""/api/users/me."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

pytestmark = pytest.mark.integration

PASSWORD = "correct horse battery"
OTHER = "another long password"
ROUTES = [
    ("GET", "/api/users/me", None),
    ("HEAD", "/api/users/me", None),
    ("PATCH", "/api/users/me", {"bio": "changed"}),
    ("PUT", "/api/users/me/password", {"current_password": PASSWORD, "new_password": OTHER}),
    ("DELETE", "/api/users/me", {"password": PASSWORD}),
]


async def test_the_own_account_has_everything_but_secrets(service: Any) -> None:
    bearer = await service.register("minji")
    answer = await service.http.get("/api/users/me", headers=bearer)
    assert answer.status_code == 200
    assert set(answer.json()) == {"id", "username", "email", "display_name", "bio", "created_at"}
    assert answer.headers["cache-control"] == "no-store"


async def test_each_field_changes_alone(service: Any) -> None:
    bearer = await service.register("minji")
    for field, value in (
        ("email", "new@example.org"),
        ("display_name", "김민지 𝒦"),
        ("bio", "Two\nlines <b>and</b> '; DROP TABLE account; -- \U0010fffd"),
    ):
        answer = await service.http.patch("/api/users/me", json={field: value}, headers=bearer)
        assert answer.status_code == 200
    account = (await service.http.get("/api/users/me", headers=bearer)).json()
    assert account["email"] == "new@example.org"
    assert account["display_name"] == "김민지 𝒦"
    assert account["bio"].startswith("Two\nlines <b>")


async def test_a_change_of_nothing_and_an_empty_display_name_are_fine(service: Any) -> None:
    bearer = await service.register("minji")
    assert (await service.http.patch("/api/users/me", json={}, headers=bearer)).status_code == 200
    answer = await service.http.patch("/api/users/me", json={"display_name": ""}, headers=bearer)
    assert answer.json()["display_name"] == "minji"


WRONG: list[dict[str, object]] = [
    {"email": "nobody"},
    {"email": None},
    {"display_name": "x" * 61},
    {"display_name": "two\nlines"},
    {"display_name": 5},
    {"bio": "x" * 2001},
    {"bio": "nul\x00"},
    {"bio": None},
]


async def test_bar_54_fields_are_typed_and_bounded(service: Any) -> None:
    bearer = await service.register("minji")
    for body in WRONG:
        answer = await service.http.patch("/api/users/me", json=body, headers=bearer)
        assert answer.status_code == 422, body
        assert [error["field"] for error in answer.json()["errors"]] == list(body)


async def test_an_address_of_somebody_else_is_refused(service: Any) -> None:
    await service.register("jisu")
    bearer = await service.register("minji")
    answer = await service.http.patch(
        "/api/users/me", json={"email": "JISU@example.org"}, headers=bearer
    )
    assert answer.status_code == 409


async def test_bar_49_anonymous_callers_are_refused(service: Any) -> None:
    for method, path, body in ROUTES:
        for headers in ({}, {"Authorization": "Bearer x.y.z"}, {"Authorization": "Basic abc"}):
            answer = await service.http.request(method, path, json=body, headers=headers)
            assert answer.status_code == 401, (method, path)
            assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
async def test_bar_49_another_user_reaches_only_the_own_account(
    service: Any, method: str, path: str, body: dict[str, str] | None
) -> None:
    await service.register("owner")
    before = await service.sql("SELECT * FROM account WHERE username = 'owner'")
    bearer = await service.register("other")
    for address in (path, f"{path}?username=owner&id=1"):
        await service.http.request(
            method, address, json={**(body or {}), "username": "owner", "id": 1}, headers=bearer
        )
    assert await service.sql("SELECT * FROM account WHERE username = 'owner'") == before


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
async def test_bar_49_the_owner_may(
    service: Any, method: str, path: str, body: dict[str, str] | None
) -> None:
    bearer = await service.register("owner")
    answer = await service.http.request(method, path, json=body, headers=bearer)
    assert answer.is_success


async def test_bar_49_nobody_writes_through_a_public_profile(service: Any) -> None:
    await service.register("owner")
    bearer = await service.register("other")
    for method in ("PATCH", "PUT", "DELETE", "POST"):
        answer = await service.http.request(method, "/api/users/owner", json={}, headers=bearer)
        assert answer.status_code == 405


async def test_bar_50_only_three_members_can_be_changed(service: Any) -> None:
    bearer = await service.register("minji")
    before = dict((await service.sql("SELECT * FROM account"))[0])
    answer = await service.http.patch(
        "/api/users/me",
        json={
            "id": 999,
            "username": "boss",
            "password": "x" * 10,
            "password_hash": "x",
            "session_epoch": 9,
            "disabled_at": None,
            "check_count": 0,
            "role": "admin",
            "created_at": "2001-01-01T00:00:00Z",
            "bio": "mine",
        },
        headers=bearer,
    )
    assert answer.status_code == 200
    assert dict((await service.sql("SELECT * FROM account"))[0]) == {**before, "bio": "mine"}
    assert "argon2" not in answer.text


@pytest.mark.parametrize("gone", ["deleted", "disabled"])
async def test_a_token_outlives_its_account_without_effect(service: Any, gone: str) -> None:
    bearer = await service.register("minji")
    await service.sql(
        "DELETE FROM account" if gone == "deleted" else "UPDATE account SET disabled_at = now()"
    )
    for method, path, body in ROUTES:
        answer = await service.http.request(method, path, json=body, headers=bearer)
        assert answer.status_code == 401, (method, path)
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_a_new_password_replaces_the_old_one(service: Any) -> None:
    bearer = await service.register("minji")
    answer = await service.http.put(
        "/api/users/me/password",
        json={"current_password": PASSWORD, "new_password": OTHER},
        headers=bearer,
    )
    assert answer.status_code == 204
    assert answer.content == b""
    assert (await service.verify("minji", PASSWORD)).status_code == 401
    assert (await service.verify("minji", OTHER)).json()["session_epoch"] == 2


async def test_bar_42_a_weak_new_password_is_refused(service: Any) -> None:
    bearer = await service.register("minji")
    for refused in ("password1", "minji@EXAMPLE.org", "12345678"):
        answer = await service.http.put(
            "/api/users/me/password",
            json={"current_password": PASSWORD, "new_password": refused},
            headers=bearer,
        )
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "new_password"


@pytest.mark.parametrize(("method", "path", "body"), ROUTES[3:])
async def test_a_wrong_current_password_is_403_and_guesses_are_counted(
    service: Any, method: str, path: str, body: dict[str, str]
) -> None:
    bearer = await service.register("minji")
    wrong = {"current_password": "wrong", "password": "wrong", "new_password": OTHER}
    answers = await asyncio.gather(
        *(service.http.request(method, path, json=wrong, headers=bearer) for _ in range(12))
    )
    assert sorted(answer.status_code for answer in answers) == [403] * 10 + [429] * 2
    right = await service.http.request(method, path, json=body, headers=bearer)
    assert right.status_code == 429
    assert 0 < int(right.headers["retry-after"]) <= 900
    await service.sql("UPDATE account SET check_since = now() - interval '16 minutes'")
    assert (await service.http.request(method, path, json=body, headers=bearer)).status_code == 204


async def test_a_right_password_forgives_wrong_ones(service: Any) -> None:
    bearer = await service.register("minji")
    for _ in range(2):
        for _ in range(9):
            answer = await service.http.request(
                "DELETE", "/api/users/me", json={"password": "wrong"}, headers=bearer
            )
            assert answer.status_code == 403
        weak = {"current_password": PASSWORD, "new_password": "password1"}
        answer = await service.http.put("/api/users/me/password", json=weak, headers=bearer)
        assert answer.status_code == 422


async def test_a_deleted_account_is_gone_and_its_name_stays_used(service: Any) -> None:
    bearer = await service.register("Minji")
    await service.http.get("/api/users/minji")
    answer = await service.http.request(
        "DELETE", "/api/users/me", json={"password": PASSWORD}, headers=bearer
    )
    assert answer.status_code == 204
    assert (await service.http.get("/api/users/minji")).status_code == 404
    assert (await service.verify("minji")).status_code == 401
    assert await service.sql("SELECT 1 FROM account") == []
    body = {"username": "MINJI", "email": "minji@example.org", "password": PASSWORD}
    assert (await service.http.post("/api/register", json=body)).status_code == 409
    body["username"] = "minji2"
    assert (await service.http.post("/api/register", json=body)).status_code == 201
    kept = await service.sql("SELECT digest FROM used_name")
    assert all(b"minji" not in row["digest"].lower() for row in kept)


async def test_two_password_changes_at_once_have_one_winner(service: Any) -> None:
    bearer = await service.register("minji")
    answers = await asyncio.gather(
        *(
            service.http.put(
                "/api/users/me/password",
                json={"current_password": PASSWORD, "new_password": f"{OTHER} {i}"},
                headers=bearer,
            )
            for i in range(4)
        )
    )
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(204) == 1
    assert set(statuses) <= {204, 401, 403}
    winner = statuses.index(204)
    assert (await service.verify("minji", f"{OTHER} {winner}")).status_code == 200
