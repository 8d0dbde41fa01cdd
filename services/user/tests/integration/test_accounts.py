"""`SqlAccounts` where the HTTP tests do not reach."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from titanium_kit.database import Database
from titanium_user.adapters.accounts import SqlAccounts
from titanium_user.domain.errors import NoAccountError, TakenError
from titanium_user.domain.models import NoticeKind
from titanium_user.settings import UserSettings

pytestmark = pytest.mark.integration


@pytest.fixture
async def accounts(migrated: Callable[[str], Awaitable[Any]]) -> AsyncIterator[SqlAccounts]:
    database = await migrated("titanium_user")
    pool = Database(
        UserSettings(service="user", environment="development", **database.environment())
    )
    await pool.start()
    yield SqlAccounts(pool, lease=3)
    await pool.stop()


HASH = "$argon2id$" + "x" * 40


async def test_a_change_under_an_old_epoch_is_refused_and_told_to_nobody(
    accounts: SqlAccounts,
) -> None:
    account = await accounts.create("minji", "minji@example.org", HASH)
    (notice,) = await accounts.change_password(account.id, 1, f"{HASH}2")
    assert (notice.kind, notice.epoch) == (NoticeKind.END_SESSIONS, 2)
    for stale in (
        accounts.change_password(account.id, 1, f"{HASH}3"),
        accounts.delete(account.id, 1),
    ):
        with pytest.raises(NoAccountError):
            await stale
    known = await accounts.credentials("MINJI")
    assert known is not None
    assert (known.password_hash, known.session_epoch) == (f"{HASH}2", 2)


async def test_a_renewed_hash_does_not_undo_a_password_change(accounts: SqlAccounts) -> None:
    account = await accounts.create("minji", "minji@example.org", HASH)
    await accounts.change_password(account.id, 1, f"{HASH}2")
    await accounts.replace_hash(account.id, HASH, f"{HASH}renewed")
    known = await accounts.credentials("minji")
    assert known is not None
    assert known.password_hash == f"{HASH}2"


async def test_disabling_raises_the_epoch_and_enabling_keeps_it(accounts: SqlAccounts) -> None:
    account = await accounts.create("minji", "minji@example.org", HASH)
    assert await accounts.disable("MINJI")
    assert not await accounts.disable("minji")
    assert await accounts.by_id(account.id) is None
    assert await accounts.by_username("minji") is not None
    with pytest.raises(NoAccountError):
        await accounts.begin_check(account.id)
    assert await accounts.enable("minji")
    assert not await accounts.enable("minji")
    known = await accounts.credentials("minji")
    assert known is not None
    assert (known.disabled, known.session_epoch) == (False, 2)


async def test_names_are_unique_in_any_case(accounts: SqlAccounts) -> None:
    await accounts.create("minji", "minji@example.org", HASH)
    for name, email in (("MINJI", "other@example.org"), ("other", "Minji@Example.org")):
        with pytest.raises(TakenError):
            await accounts.create(name, email, HASH)
