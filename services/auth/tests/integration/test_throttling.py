"""Failed logins: limits per account and per client address."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx2
import pytest

from services.auth.tests.support import Auth, log_in

pytestmark = pytest.mark.integration


async def age(auth: Auth, by: timedelta) -> None:
    """Let every recorded failure be older by that much."""
    await auth.database.execute(
        "UPDATE login_failures SET moments = "
        "(SELECT array_agg(moment - $1::interval) FROM unnest(moments) AS moment)",
        by,
    )


async def fail(client: httpx2.AsyncClient, name: str, times: int, address: str) -> list[int]:
    return [
        (await log_in(client, name, "wrong", address=address)).status_code for _ in range(times)
    ]


@pytest.mark.parametrize("name", ["alice", "nobody"])
async def test_bar_43_eleventh_login_of_an_account_is_refused(
    client: httpx2.AsyncClient, auth: Auth, name: str
) -> None:
    """Known or not: 10 times 401, then 429 from any address, without a hash being made."""
    assert await fail(client, name, 10, "192.0.2.1") == [401] * 10
    hashes = auth.users.hashes
    refused = await log_in(client, name.upper(), "right", address="203.0.113.9")
    assert refused.status_code == 429
    assert 890 < int(refused.headers["retry-after"]) <= 900
    assert auth.users.hashes == hashes


async def test_bar_43_retry_after_is_the_truth(client: httpx2.AsyncClient, auth: Auth) -> None:
    """One second before it ends the wait is one second; after it the login works."""
    await fail(client, "alice", 10, "192.0.2.1")
    await age(auth, timedelta(seconds=899))
    refused = await log_in(client)
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "1"
    await age(auth, timedelta(seconds=1))
    assert (await log_in(client)).status_code == 200


async def test_bar_43_success_clears_no_failures(client: httpx2.AsyncClient) -> None:
    """An attacker gains nothing when the owner logs in."""
    await fail(client, "alice", 9, "192.0.2.1")
    assert (await log_in(client)).status_code == 200
    assert await fail(client, "alice", 2, "192.0.2.1") == [401, 429]


async def test_bar_43_parallel_guesses_over_two_replicas_stay_within_ten(auth: Auth) -> None:
    """40 guesses that all passed the first check: exactly 10 learn their outcome."""
    one, two = await auth.replica(), await auth.replica()
    barrier = asyncio.Barrier(40)

    async def together() -> None:
        await barrier.wait()

    auth.users.before_answer = together
    answers = await asyncio.gather(
        *(log_in((one, two)[n % 2], "alice", f"wrong {n}") for n in range(40))
    )
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(401) == 10
    assert statuses.count(429) == 30


async def test_bar_43_right_password_among_parallel_guesses_learns_nothing(auth: Auth) -> None:
    """It comes back after the limit was used up: 429 like the rest."""
    client = await auth.replica()
    others_are_done = asyncio.Event()

    async def wait_for_others() -> None:
        await others_are_done.wait()

    auth.users.before_answer = wait_for_others
    right = asyncio.create_task(log_in(client))
    while not auth.users.hashes:  # noqa: ASYNC110 - until its password is being checked
        await asyncio.sleep(0.01)
    auth.users.before_answer = None
    assert await fail(client, "alice", 10, "192.0.2.1") == [401] * 10
    others_are_done.set()
    assert (await right).status_code == 429


async def test_bar_43_full_address_does_not_lock_out_its_honest_users(
    client: httpx2.AsyncClient, auth: Auth
) -> None:
    """100 failures: strangers get 429 there, who has logged in from there goes on."""
    auth.users.add("bob", "right", user_id=2)
    office = "192.0.2.50"
    assert (await log_in(client, "alice", address=office)).status_code == 200
    for number in range(10):
        assert await fail(client, f"victim {number}", 10, office) == [401] * 10
    hashes = auth.users.hashes
    refused = await log_in(client, "bob", address=office)
    assert refused.status_code == 429
    assert 3500 < int(refused.headers["retry-after"]) <= 3600
    assert auth.users.hashes == hashes
    assert (await log_in(client, "alice", address=office)).status_code == 200
    assert (await log_in(client, "alice", "wrong", address=office)).status_code == 401
    assert (await log_in(client, "bob", address="192.0.2.51")).status_code == 200
    await age(auth, timedelta(hours=1))
    assert (await log_in(client, "bob", address=office)).status_code == 200


async def test_known_address_is_forgotten_after_90_days(
    client: httpx2.AsyncClient, auth: Auth
) -> None:
    """Then the account is a stranger there again."""
    office = "192.0.2.50"
    await log_in(client, address=office)
    for number in range(10):
        await fail(client, f"victim {number}", 10, office)
    await auth.database.execute("UPDATE known_addresses SET seen_at = now() - interval '91 days'")
    assert (await log_in(client, address=office)).status_code == 429


async def test_storage_is_bounded(client: httpx2.AsyncClient, auth: Auth) -> None:
    """Rows have fixed-size keys, at most as many moments as the limit, and an end."""
    await fail(client, "x" * 256, 12, "192.0.2.1")
    rows = await auth.database.fetch(
        "SELECT length(key) AS key, cardinality(moments) AS count, "
        "expires_at <= now() + interval '1 hour' AS ends FROM login_failures"
    )
    assert sorted(tuple(row) for row in rows) == [(32, 10, True), (32, 10, True)]
