"""Logout and revocation, and how they spread."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest

from services.auth.tests.support import Auth, away, bearer, eventually, log_in, refresh, tokens
from titanium_auth.adapters.revocations import LOCK

pytestmark = pytest.mark.integration


async def is_dead(client: httpx2.AsyncClient, token: str, within: float = 1.0) -> bool:
    async def refused() -> bool:
        answer = await client.get("/api/auth/verify", headers=bearer(token))
        return answer.status_code == 401

    return await eventually(refused, within)


async def revoke(client: httpx2.AsyncClient, user_id: int, epoch: int) -> None:
    answer = await client.post(
        "/internal/sessions/revoke", json={"user_id": user_id, "epoch": epoch}
    )
    assert answer.status_code == 204


async def revocations(client: httpx2.AsyncClient, after: int = 0) -> dict[str, Any]:
    answer: dict[str, Any] = (await client.get(f"/internal/revocations?after={after}")).json()
    return answer


@pytest.mark.parametrize("way", ["bearer", "body", "cookie"])
async def test_bar_48_logout_works_everywhere_within_a_second(auth: Auth, way: str) -> None:
    """On another replica too; the refresh token dies at once; once more is 204 again."""
    here, elsewhere = await auth.replica(), await auth.replica()
    granted = await tokens(here)
    assert (
        await elsewhere.get("/api/auth/verify", headers=bearer(granted["access_token"]))
    ).status_code == 200
    options: dict[str, Any] = {
        "bearer": {"headers": bearer(granted["access_token"])},
        "body": {"json": {"refresh_token": granted["refresh_token"]}},
        "cookie": {"headers": {"cookie": f"titanium_refresh={granted['refresh_token']}"}},
    }[way]
    answer = await here.post("/api/auth/logout", **options)
    assert answer.status_code == 204
    assert answer.content == b""
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert await is_dead(elsewhere, granted["access_token"])
    assert (await refresh(elsewhere, granted["refresh_token"])).status_code == 401
    assert (await here.post("/api/auth/logout", **options)).status_code == 204


async def test_logout_ends_one_session_only(client: httpx2.AsyncClient) -> None:
    """The other devices stay logged in."""
    laptop, phone = await tokens(client), await tokens(client)
    await client.post("/api/auth/logout", headers=bearer(laptop["access_token"]))
    assert await is_dead(client, laptop["access_token"])
    assert not await is_dead(client, phone["access_token"], within=0.5)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"headers": {"Authorization": "Bearer forged"}},
        {"json": {"refresh_token": "forged"}},
        {"headers": {"cookie": "titanium_refresh=forged"}},
    ],
)
async def test_logout_with_nothing_genuine_is_401(
    client: httpx2.AsyncClient, options: dict[str, Any]
) -> None:
    """There is nothing that could be ended."""
    assert (await client.post("/api/auth/logout", **options)).status_code == 401


async def test_bar_48_password_change_ends_older_sessions_everywhere(auth: Auth) -> None:
    """Sessions of the older epoch die within a second, the new one and other people's live."""
    here, elsewhere = await auth.replica(), await auth.replica()
    auth.users.add("bob", "right", user_id=2)
    old, others = await tokens(here), await tokens(here, username="bob")
    await revoke(here, 1, 1)
    auth.users.add("alice", "new", epoch=1)
    new = await tokens(here, password="new")
    assert await is_dead(elsewhere, old["access_token"])
    assert (await refresh(here, old["refresh_token"])).status_code == 401
    for alive in (new, others):
        assert not await is_dead(elsewhere, alive["access_token"], within=0.5)
    await revoke(here, 1, 1)
    assert (await refresh(here, new["refresh_token"])).status_code == 200


async def test_bar_48_login_that_checked_the_old_password_is_refused(
    client: httpx2.AsyncClient, auth: Auth
) -> None:
    """The password changed while the login was under way: the usual 401, no session."""

    async def change_meanwhile() -> None:
        await revoke(client, 1, 1)

    auth.users.before_answer = change_meanwhile
    assert (await log_in(client)).status_code == 401
    assert await auth.database.fetchval("SELECT count(*) FROM sessions") == 0
    assert await auth.database.fetchval("SELECT count(*) FROM known_addresses") == 0


async def test_older_epoch_changes_nothing(client: httpx2.AsyncClient, auth: Auth) -> None:
    """A revocation that comes late, after a newer one."""
    auth.users.add("alice", "right", epoch=5)
    granted = await tokens(client)
    await revoke(client, 1, 4)
    assert (await refresh(client, granted["refresh_token"])).status_code == 200
    assert await auth.database.fetchval("SELECT epoch FROM account_epochs") == 5


@pytest.mark.parametrize(
    "body",
    [
        {"user_id": "1", "epoch": 1},
        {"user_id": 0, "epoch": 1},
        {"user_id": 2**63, "epoch": 1},
        {"user_id": 1, "epoch": -1},
        {"user_id": 1, "epoch": True},
        {"user_id": 1},
    ],
)
async def test_bad_revocation_is_422(client: httpx2.AsyncClient, body: dict[str, Any]) -> None:
    """Nothing is guessed."""
    assert (await client.post("/internal/sessions/revoke", json=body)).status_code == 422


async def test_revocations_are_listed_once_each(client: httpx2.AsyncClient) -> None:
    """`after` continues where the last answer ended; the end of each is in the future."""
    assert await revocations(client) == {"last": 0, "revoked": []}
    for _ in range(3):
        granted = await tokens(client)
        await client.post("/api/auth/logout", headers=bearer(granted["access_token"]))
    listed = await revocations(client)
    assert len({item["sid"] for item in listed["revoked"]}) == 3
    assert set(listed["revoked"][0]) == {"sid", "until"}
    assert await revocations(client, listed["last"]) == {"last": listed["last"], "revoked": []}
    assert len((await revocations(client, listed["last"] - 1))["revoked"]) == 1


async def test_reader_ahead_of_the_list_gets_all_of_it(client: httpx2.AsyncClient) -> None:
    """The database was restored: `last` goes back and nothing is missed."""
    granted = await tokens(client)
    await client.post("/api/auth/logout", headers=bearer(granted["access_token"]))
    listed = await revocations(client, 2**63 - 1)
    assert len(listed["revoked"]) == 1
    assert listed["last"] == (await revocations(client))["last"]
    for after in ("-1", "x", str(2**63)):
        assert (await client.get(f"/internal/revocations?after={after}")).status_code == 422


async def test_session_without_valid_access_tokens_is_not_listed(
    client: httpx2.AsyncClient, auth: Auth
) -> None:
    """Its last one expired long ago: verifiers need not remember it."""
    granted = await tokens(client)
    await auth.database.execute("UPDATE sessions SET rotated_at = now() - interval '1 hour'")
    await client.post("/api/auth/logout", json={"refresh_token": granted["refresh_token"]})
    assert (await revocations(client))["revoked"] == []


async def test_numbers_become_visible_in_order(auth: Auth, client: httpx2.AsyncClient) -> None:
    """A transaction that took a number and has not committed holds the later ones back."""
    granted = await tokens(client)
    slow = auth.database.transaction()
    await slow.start()
    await auth.database.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
    await auth.database.execute(
        "INSERT INTO revocations (session_id, until) VALUES (gen_random_uuid(), now())"
    )
    logout = asyncio.create_task(
        client.post("/api/auth/logout", headers=bearer(granted["access_token"]))
    )
    await asyncio.sleep(0.2)
    assert not logout.done()
    assert (await revocations(client))["revoked"] == []
    await slow.commit()
    assert (await logout).status_code == 204
    assert len((await revocations(client))["revoked"]) == 2


async def test_parallel_logouts_skip_nobody(auth: Auth) -> None:
    """A poller that follows the list while 30 sessions end sees 30."""
    client = await auth.replica()
    granted = [await tokens(client) for _ in range(30)]
    seen: list[str] = []
    last = 0
    logouts = asyncio.gather(
        *(
            client.post("/api/auth/logout", json={"refresh_token": one["refresh_token"]})
            for one in granted
        )
    )
    while not logouts.done() or (await revocations(client, last))["revoked"]:
        page = await revocations(client, last)
        seen += [item["sid"] for item in page["revoked"]]
        last = page["last"]
    assert len(seen) == len(set(seen)) == 30


async def test_lost_database_is_503_and_nothing_is_reported_done(
    auth: Auth, client: httpx2.AsyncClient
) -> None:
    """Logins, refreshes and logouts that the database did not confirm."""
    granted = await tokens(client)
    async with away(auth):
        answers = [
            await log_in(client),
            await refresh(client, granted["refresh_token"]),
            await client.post("/api/auth/logout", headers=bearer(granted["access_token"])),
            await client.get("/internal/revocations"),
        ]
    assert [answer.status_code for answer in answers] == [503] * 4
    assert all(answer.headers["retry-after"] for answer in answers)
    assert (await refresh(client, granted["refresh_token"])).status_code == 200
