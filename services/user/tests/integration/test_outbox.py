"""What other services are told, and when."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from titanium_kit.database import Database
from titanium_user.adapters.accounts import SqlAccounts
from titanium_user.adapters.outbox import Outbox

pytestmark = pytest.mark.integration

PASSWORD = "correct horse battery"
CHANGE = {"current_password": PASSWORD, "new_password": "another long password"}


async def eventually(condition: Any, seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - a database sets no event
            await asyncio.sleep(0.01)


async def test_bar_48_sessions_are_ended_before_a_password_change_is_answered(
    service: Any,
) -> None:
    bearer = await service.register("minji")
    answer = await service.http.put("/api/users/me/password", json=CHANGE, headers=bearer)
    assert answer.status_code == 204
    assert service.peers.revoked == [(1, 2)]
    assert await service.sql("SELECT * FROM outbox") == []


async def test_bar_48_a_deletion_ends_sessions_and_removes_posts_before_it_is_answered(
    service: Any,
) -> None:
    bearer = await service.register("minji")
    answer = await service.http.request(
        "DELETE", "/api/users/me", json={"password": PASSWORD}, headers=bearer
    )
    assert answer.status_code == 204
    assert service.peers.revoked == [(1, 2)]
    assert service.peers.removed == [1]
    assert await service.sql("SELECT * FROM outbox") == []


async def test_bar_48_what_another_process_wrote_is_told_within_a_second(service: Any) -> None:
    await service.register("minji")
    other = Database(service.settings)
    await other.start()
    assert await SqlAccounts(other, lease=0).disable("minji")
    began = time.monotonic()
    await other.stop()

    async def told() -> bool:
        return bool(service.peers.revoked == [(1, 2)])

    await eventually(told)
    assert time.monotonic() - began < 1
    assert (await service.verify("minji")).status_code == 401


@pytest.mark.parametrize("status", [503, 403, 404])
async def test_a_peer_that_fails_is_told_again_until_it_agrees(service: Any, status: int) -> None:
    bearer = await service.register("minji")
    service.peers.status = status
    answer = await service.http.request(
        "DELETE", "/api/users/me", json={"password": PASSWORD}, headers=bearer
    )
    assert answer.status_code == 204
    assert len(await service.sql("SELECT * FROM outbox WHERE attempts > 0")) == 2
    service.peers.status = 204

    async def empty() -> bool:
        return not await service.sql("SELECT * FROM outbox")

    await eventually(empty)
    assert service.peers.revoked == [(1, 2)]
    assert service.peers.removed == [1]


async def test_a_slow_peer_does_not_hold_the_answer_for_long(service: Any) -> None:
    bearer = await service.register("minji")
    service.peers.delay = 1.4
    began = time.monotonic()
    answer = await service.http.put("/api/users/me/password", json=CHANGE, headers=bearer)
    assert answer.status_code == 204
    assert time.monotonic() - began < 1.4
    assert service.peers.revoked == []

    async def empty() -> bool:
        return not await service.sql("SELECT * FROM outbox")

    await eventually(empty)
    assert service.peers.revoked == [(1, 2)]


async def test_two_replicas_never_claim_the_same_notice(service: Any) -> None:
    await service.sql("ALTER TABLE outbox RENAME TO hidden")  # the service's own relay sees none
    await service.sql("CREATE TABLE outbox (LIKE hidden INCLUDING ALL)")
    service.peers.status = 503
    database = Database(service.settings)
    await database.start()
    outboxes = [Outbox(database) for _ in range(4)]
    await service.sql("DROP TABLE hidden")
    await service.sql(
        "INSERT INTO outbox (kind, user_id, epoch, due_at)"
        " SELECT 'end_sessions', n, 2, now() FROM generate_series(1, 40) n"
    )
    claims = await asyncio.gather(*(outbox.claim(10) for outbox in outboxes))
    await database.stop()
    ids = [notice.id for claim in claims for notice in claim]
    assert len(ids) == len(set(ids)) > 0


async def test_a_notice_whose_carrier_died_is_told_by_another(service: Any) -> None:
    await service.sql(
        "INSERT INTO outbox (kind, user_id, epoch, due_at)"
        " VALUES ('end_sessions', 7, 3, now() + interval '300 milliseconds')"
    )

    async def told() -> bool:
        return bool(service.peers.revoked == [(7, 3)])

    await eventually(told)


async def test_the_poller_survives_a_database_that_goes_away(service: Any) -> None:
    await service.sql("ALTER TABLE outbox RENAME TO hidden")
    await asyncio.sleep(0.4)
    await service.sql("ALTER TABLE hidden RENAME TO outbox")
    await service.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await service.sql(
        "INSERT INTO outbox (kind, user_id, epoch, due_at) VALUES ('remove_posts', 7, 3, now())"
    )

    async def told() -> bool:
        return bool(service.peers.removed == [7])

    await eventually(told)
