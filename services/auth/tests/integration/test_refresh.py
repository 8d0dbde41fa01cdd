"""Rotation of refresh tokens, reuse and concurrency."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx2
import pytest

from services.auth.tests.support import Auth, bearer, eventually, log_in, refresh, tokens
from titanium_auth.domain.errors import ConcurrentRefreshError, SessionEndedError
from titanium_auth.domain.ports import Rotation, SessionStore
from titanium_auth.domain.sessions import Sessions, arrival

pytestmark = pytest.mark.integration


async def test_refresh_by_body_answers_tokens_in_body_and_cookie(
    client: httpx2.AsyncClient,
) -> None:
    """The same shape as a login's, plus the successor."""
    first = await tokens(client)
    response = await client.post(
        "/api/auth/refresh", json={"refresh_token": first["refresh_token"]}
    )
    body = response.json()
    assert response.status_code == 200
    assert set(body) == {"access_token", "token", "token_type", "expires_in", "refresh_token"}
    assert f"titanium_refresh={body['refresh_token']};" in response.headers["set-cookie"]
    verified = await client.get("/api/auth/verify", headers=bearer(body["access_token"]))
    assert verified.json()["username"] == "alice"


async def test_refresh_by_cookie_keeps_the_token_out_of_the_body(
    client: httpx2.AsyncClient, auth: Auth
) -> None:
    """A browser's next refresh finds the successor in its cookies; the end does not move."""
    await log_in(client)
    end = await auth.database.fetchval("SELECT expires_at FROM sessions")
    for _ in range(2):
        response = await client.post("/api/auth/refresh")
        assert response.status_code == 200
        assert "refresh_token" not in response.json()
    assert await auth.database.fetchval("SELECT expires_at FROM sessions") == end


async def test_bar_47_reuse_right_after_the_answer_ends_the_family(
    client: httpx2.AsyncClient,
) -> None:
    """R0 gives R1; R0 again at once is refused, and R1 and the access tokens die with it."""
    first = await tokens(client)
    second = (await refresh(client, first["refresh_token"])).json()
    reused = await refresh(client, first["refresh_token"])
    assert reused.status_code == 401
    assert (await refresh(client, second["refresh_token"])).status_code == 401

    async def dead() -> bool:
        answer = await client.get("/api/auth/verify", headers=bearer(second["access_token"]))
        return answer.status_code == 401

    assert await eventually(dead)


async def test_bar_47_reuse_of_any_older_generation_ends_the_family(
    client: httpx2.AsyncClient,
) -> None:
    """Also the first token of a session refreshed several times."""
    chain = [(await tokens(client))["refresh_token"]]
    for _ in range(3):
        chain.append((await refresh(client, chain[-1])).json()["refresh_token"])
    assert (await refresh(client, chain[0])).status_code == 401
    assert (await refresh(client, chain[-1])).status_code == 401


async def test_bar_47_fifty_concurrent_refreshes_leave_one_live_successor(auth: Auth) -> None:
    """Over two replicas: one winner, 49 times 409, and the successor works."""
    replicas = [await auth.replica(), await auth.replica()]
    first = (await tokens(replicas[0]))["refresh_token"]
    answers = await asyncio.gather(*(refresh(replicas[n % 2], first) for n in range(50)))
    winners = [answer for answer in answers if answer.status_code == 200]
    losers = [answer for answer in answers if answer.status_code == 409]
    assert (len(winners), len(losers)) == (1, 49)
    assert {answer.headers["retry-after"] for answer in losers} == {"1"}
    assert (await refresh(replicas[0], winners[0].json()["refresh_token"])).status_code == 200


async def test_bar_47_stragglers_hold_the_answer_back(
    client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests that trickle in for longer than one hold are concurrent all the same."""
    monkeypatch.setattr("titanium_auth.adapters.sessions.HOLD", timedelta(seconds=1))
    first = (await tokens(client))["refresh_token"]
    winner = asyncio.create_task(refresh(client, first))
    for _ in range(4):
        await asyncio.sleep(0.3)
        assert not winner.done()
        assert (await refresh(client, first)).status_code == 409
    successor = (await winner).json()["refresh_token"]
    assert (await refresh(client, successor)).status_code == 200


async def test_bar_47_nobody_can_hold_the_answer_back_for_ever(
    client: httpx2.AsyncClient, auth: Auth
) -> None:
    """Requests come all the time: the winner is answered, and the next one is reuse."""
    first = (await tokens(client))["refresh_token"]
    generation = "SELECT max(generation) FROM sessions"
    before = await auth.database.fetchval(generation)
    winner = asyncio.create_task(refresh(client, first))
    while await auth.database.fetchval(generation) == before:  # noqa: ASYNC110 - a row changes
        await asyncio.sleep(0.01)
    statuses: list[int] = []
    while 401 not in statuses and len(statuses) < 100:
        statuses.append((await refresh(client, first)).status_code)
        await asyncio.sleep(0.05)
    assert (await winner).status_code == 200
    assert set(statuses[:-1]) == {409}
    assert statuses[-1] == 401


async def rotate_without_answer(auth: Auth, token: str) -> tuple[SessionStore, Rotation]:
    """What a replica that dies right after its COMMIT leaves behind."""
    sessions: Sessions = auth.apps[-1].state.sessions
    parsed = sessions._refresh_tokens.read(token)
    assert parsed
    store = sessions._store
    return store, await store.rotate(parsed.family, parsed.generation, arrival())


async def test_successor_that_never_left_may_be_asked_for_again(
    client: httpx2.AsyncClient, auth: Auth
) -> None:
    """The winner's replica died, or lost its database: the same token works a little later."""
    first = (await tokens(client))["refresh_token"]
    store, lost = await rotate_without_answer(auth, first)
    assert (await refresh(client, first)).status_code == 409
    await auth.database.execute("UPDATE sessions SET rotated_at = rotated_at - interval '9 s'")
    again = await refresh(client, first)
    assert again.status_code == 200
    with pytest.raises(ConcurrentRefreshError):
        await store.release(lost)
    assert (await refresh(client, again.json()["refresh_token"])).status_code == 200


async def test_session_that_ends_while_its_answer_is_held_gives_nothing(
    client: httpx2.AsyncClient, auth: Auth
) -> None:
    """Logout wins over a refresh under way."""
    first = await tokens(client)
    store, held = await rotate_without_answer(auth, first["refresh_token"])
    await client.post("/api/auth/logout", headers=bearer(first["access_token"]))
    with pytest.raises(SessionEndedError):
        await store.release(held)


async def test_bar_46_expired_session_cannot_be_refreshed(
    client: httpx2.AsyncClient, auth: Auth
) -> None:
    """30 days after the login nothing renews it, and a dead cookie is removed."""
    await log_in(client)
    await auth.database.execute("UPDATE sessions SET expires_at = now()")
    response = await client.post("/api/auth/refresh")
    assert response.status_code == 401
    assert response.headers["set-cookie"].startswith("titanium_refresh=; Path=/; Max-Age=0")
    assert "titanium_refresh" not in client.cookies


@pytest.mark.parametrize("body", [None, {}, {"refresh_token": None}])
async def test_refresh_without_a_token_is_401(
    client: httpx2.AsyncClient, body: dict[str, object] | None
) -> None:
    """With a challenge, and a sentence that says what to send."""
    response = await client.post("/api/auth/refresh", json=body)
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("path", ["/api/auth/refresh", "/api/auth/logout"])
async def test_bar_52_pages_of_other_sites_cannot_use_the_cookie(
    client: httpx2.AsyncClient, path: str
) -> None:
    """403, and the session goes on."""
    await log_in(client)
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
        assert (await client.post(path, headers=headers)).status_code == 403
    assert (await client.post("/api/auth/refresh")).status_code == 200
