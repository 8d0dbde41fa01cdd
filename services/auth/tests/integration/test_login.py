"""Logging in."""

from __future__ import annotations

import json

import httpx2
import pytest

from services.auth.tests.support import Auth, bearer, log_in, tokens

pytestmark = pytest.mark.integration


async def test_login_answers_the_contract(client: httpx2.AsyncClient) -> None:
    """The token twice, a lifetime of at most 15 minutes, and the cookie; nothing to be cached."""
    response = await log_in(client)
    body = response.json()
    assert response.status_code == 200
    assert set(body) == {"access_token", "token", "token_type", "expires_in"}
    assert body["access_token"] == body["token"]
    assert body["token_type"] == "Bearer"
    assert response.headers["cache-control"] == "no-store"
    cookie = response.headers["set-cookie"]
    assert cookie.startswith("titanium_refresh=")
    assert cookie.endswith("; Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict")


async def test_bar_46_lifetimes(client: httpx2.AsyncClient, auth: Auth) -> None:
    """Access 15 minutes, session 30 days, and no token outlives its session."""
    body = (await log_in(client)).json()
    assert body["expires_in"] == 15 * 60
    assert await auth.database.fetchval(
        "SELECT expires_at <= now() + interval '30 days' FROM sessions"
    )
    short = auth.with_settings(session_lifetime=60)
    assert (await log_in(await short.replica())).json()["expires_in"] <= 60


async def test_bar_52_cookie_behind_https_has_the_host_prefix(client: httpx2.AsyncClient) -> None:
    """The gateway says that the client spoke https."""
    response = await client.post(
        "/api/login",
        json={"username": "alice", "password": "right"},
        headers={"x-forwarded-proto": "https"},
    )
    assert response.headers["set-cookie"].startswith("__Host-titanium_refresh=")
    assert response.headers["set-cookie"].endswith("; Secure")


async def test_refresh_token_is_in_the_body_on_request_only(client: httpx2.AsyncClient) -> None:
    """Clients without cookies ask for it; it is the cookie's value."""
    response = await log_in(client, with_refresh_token=True)
    assert f"titanium_refresh={response.json()['refresh_token']};" in response.headers["set-cookie"]


async def test_bar_44_unknown_name_and_wrong_password_get_one_answer(
    client: httpx2.AsyncClient,
) -> None:
    """Status, headers and body are equal but for the request's id."""
    answers = [await log_in(client, "alice", "wrong"), await log_in(client, "nobody", "wrong")]
    bodies = [{**answer.json(), "request_id": ""} for answer in answers]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert bodies[0] == bodies[1]
    assert dict(answers[0].headers) == dict(answers[1].headers)
    assert answers[0].headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"{", 400),
        (b"null", 422),
        (b"[]", 422),
        (b'{"username":"a"}', 422),
        (b'{"username":"","password":"x"}', 422),
        (b'{"username":1,"password":"x"}', 422),
        (b'{"username":"a","password":["x"]}', 422),
        (b'{"username":"a","password":"x","with_refresh_token":"yes"}', 422),
        (b'{"username":"a","username":"b","password":"x"}', 400),
        (b'{"username":"\\ud800","password":"x"}', 422),
        (b'{"username":"a","password":"\\ud800"}', 422),
        (b'{"username":"\xff","password":"x"}', 400),
        (json.dumps({"username": "a" * 257, "password": "x"}).encode(), 422),
        (json.dumps({"username": "a", "password": "x" * 1025}).encode(), 422),
        (json.dumps({"username": "a\x00b", "password": "\x00"}).encode(), 401),
        (json.dumps({"username": "𐍈'; DROP TABLE sessions --", "password": "<b>"}).encode(), 401),
        (b'{"username":"alice","password":"right","role":"admin","user_id":2}', 200),
    ],
)
async def test_bad_bodies_are_4xx_and_unknown_members_are_ignored(
    client: httpx2.AsyncClient, body: bytes, status: int
) -> None:
    """Never a 500; no rejected value is repeated."""
    headers = {"content-type": "application/json"}
    response = await client.post("/api/login", content=body, headers=headers)
    assert response.status_code == status, response.text
    if status == 200:
        verified = await client.get(
            "/api/auth/verify", headers=bearer(response.json()["access_token"])
        )
        assert verified.json()["user_id"] == 1


async def test_passwords_and_tokens_never_reach_logs_or_tables(
    client: httpx2.AsyncClient,
    auth: Auth,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Bar 55, secrets in logs: 0; and the database keeps hashes only."""
    auth.users.add("alice", "tremendous secret")
    granted = await tokens(client, password="tremendous secret")
    await log_in(client, "tremendous name", "tremendous secret")
    await client.post("/api/auth/refresh", json={"refresh_token": granted["refresh_token"]})
    output = capsys.readouterr()
    logged = caplog.text + output.out + output.err
    stored = ""
    for table in ("sessions", "login_failures", "known_addresses", "signing_keys"):
        rows = await auth.database.fetch(f"SELECT t::text AS line FROM {table} AS t")  # noqa: S608
        stored += "".join(row["line"] for row in rows)
    for secret in ("tremendous", granted["access_token"], granted["refresh_token"]):
        assert secret not in logged
        assert secret not in stored
    assert "198.51.100.7" not in stored
