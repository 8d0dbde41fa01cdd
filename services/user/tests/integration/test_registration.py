"""POST /api/register."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest

pytestmark = pytest.mark.integration

VALID = {"username": "Minji_Kim", "email": "minji@example.org", "password": "correct horse battery"}


async def test_registering_answers_with_the_account_and_where_it_is(service: Any) -> None:
    answer = await service.http.post("/api/register", json=VALID)
    assert answer.status_code == 201
    body = answer.json()
    assert set(body) == {"id", "username", "email", "created_at"}
    assert body["username"] == "Minji_Kim"
    assert datetime.fromisoformat(body["created_at"]).astimezone(UTC) <= datetime.now(UTC)
    assert answer.headers["location"] == "/api/users/Minji_Kim"
    assert answer.headers["cache-control"] == "no-store"
    assert (await service.http.get(answer.headers["location"])).status_code == 200


async def test_a_hangul_name_has_an_encoded_location(service: Any) -> None:
    answer = await service.http.post("/api/register", json={**VALID, "username": "철수"})
    assert answer.status_code == 201
    profile = await service.http.get(answer.headers["location"])
    assert profile.json()["username"] == "철수"


@pytest.mark.parametrize(
    "changes",
    [{"email": "other@example.org"}, {"username": "other"}, {}],
    ids=["username", "email", "both"],
)
async def test_taken_names_are_refused_in_any_case_without_saying_which(
    service: Any, changes: dict[str, str]
) -> None:
    await service.http.post("/api/register", json=VALID)
    upper = {**VALID, "username": "MINJI_KIM", "email": "MINJI@EXAMPLE.ORG", **changes}
    answer = await service.http.post("/api/register", json=upper)
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == (
        "The username or the e-mail address is taken. Choose another one."
    )


async def test_an_address_that_is_taken_does_not_use_up_the_name(service: Any) -> None:
    await service.http.post("/api/register", json=VALID)
    other = {**VALID, "username": "other"}
    assert (await service.http.post("/api/register", json=other)).status_code == 409
    other["email"] = "other@example.org"
    assert (await service.http.post("/api/register", json=other)).status_code == 201


async def test_names_that_are_addresses_are_taken(service: Any) -> None:
    answer = await service.http.post("/api/register", json={**VALID, "username": "Me"})
    assert answer.status_code == 409


async def test_one_of_many_who_want_a_name_at_once_gets_it(service: Any) -> None:
    answers = await asyncio.gather(
        *(
            service.http.post("/api/register", json={**VALID, "email": f"m{i}@example.org"})
            for i in range(8)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7


WRONG: list[tuple[str, object]] = [
    ("username", "x"),
    ("username", "a" * 31),
    ("username", ".."),
    ("username", "a/b"),
    ("username", "a b"),
    ("username", "name\n"),
    ("username", "na\x00me"),
    ("username", "'; DROP TABLE account; --"),
    ("username", "<script>alert(1)</script>"),
    ("username", 12345),
    ("username", None),
    ("email", "nobody"),
    ("email", "a@b"),
    ("email", "a b@example.org"),
    ("email", "name@example.org\n"),
    ("email", "name@example.org\x00"),
    ("email", "<b>@example.org"),
    ("email", f"name@{'a.' * 130}org"),
    ("email", ["name@example.org"]),
    ("password", "short77"),
    ("password", "x" * 257),
    ("password", "password1"),
    ("password", "lone\ud800surrogate"),
    ("password", {"$ne": ""}),
]


async def test_wrong_and_missing_fields_are_named(service: Any) -> None:
    bodies = [(field, {**VALID, field: value}) for field, value in WRONG]
    bodies += [
        (field, {key: value for key, value in VALID.items() if key != field}) for field in VALID
    ]
    for field, body in bodies:
        answer = await service.http.post(
            "/api/register",
            content=json.dumps(body),
            headers={"content-type": "application/json"},
        )
        assert answer.status_code == 422, body
        assert [error["field"] for error in answer.json()["errors"]] == [field], body
        assert answer.json()["detail"].startswith(field)


NOT_JSON = "application/x-www-form-urlencoded"
BODIES = [
    (b"{", "application/json", 400),
    (b"", "application/json", 422),
    (b'{"username":"a","username":"b"}', "application/json", 400),
    (b"[" * 500 + b"]" * 500, "application/json", 400),
    (b'{"username":"\xff"}', "application/json", 400),
    (b"[]", "application/json", 422),
    (b"username=a", NOT_JSON, 415),
    (b'{"username":"' + b"a" * 1_100_000 + b'"}', "application/json", 413),
]


async def test_a_body_that_is_no_registration_is_a_problem(service: Any) -> None:
    for content, kind, status in BODIES:
        answer = await service.http.post(
            "/api/register", content=content, headers={"content-type": kind}
        )
        assert answer.status_code == status, content[:40]
        assert answer.headers["content-type"] == "application/problem+json"


async def test_bar_42_any_unicode_password_can_be_set_and_is_not_cut(service: Any) -> None:
    planes = "".join(chr(plane * 0x10000 + 0x1234) for plane in range(17))
    for number, password in enumerate(
        ["한글비밀번호열자예요", planes, "🔑" * 256, "nul\x00inside here", " " * 8]
    ):
        name = f"person{number}"
        await service.register(name, password)
        assert (await service.verify(name, password)).status_code == 200
        assert (await service.verify(name, password[:-1] + "!")).status_code == 401


async def test_bar_50_other_members_of_a_registration_are_ignored(service: Any) -> None:
    extra = {
        "id": 999_999,
        "role": "admin",
        "is_admin": True,
        "session_epoch": 77,
        "disabled_at": "2020-01-01",
        "password_hash": "$argon2id$x",
        "created_at": "2001-01-01T00:00:00Z",
        "bio": "written by registration",
        "display_name": "Boss",
    }
    answer = await service.http.post("/api/register", json={**VALID, **extra})
    assert answer.status_code == 201
    rows = await service.sql("SELECT * FROM account")
    assert rows[0]["id"] == answer.json()["id"] != 999_999
    assert rows[0]["session_epoch"] == 1
    assert rows[0]["disabled_at"] is None
    assert rows[0]["bio"] == ""
    assert rows[0]["display_name"] == ""
    assert rows[0]["created_at"].year > 2001
    assert "hash" not in answer.text
    assert "argon2" not in answer.text


async def test_too_many_waiting_passwords_answer_503(make_service: Any) -> None:
    async with make_service(hash_threads=1, hash_queue=0, argon2_memory_kib=20_000) as service:
        answers = await asyncio.gather(
            *(
                service.http.post(
                    "/api/register",
                    json={**VALID, "username": f"n{i}", "email": f"n{i}@example.org"},
                )
                for i in range(5)
            )
        )
    statuses = {answer.status_code for answer in answers}
    assert statuses == {201, 503}
    refused = next(answer for answer in answers if answer.status_code == 503)
    assert refused.headers["retry-after"] == "1"
