"""The use cases, over fakes of the ports."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from titanium_user.domain.accounts import AccountService
from titanium_user.domain.errors import (
    NoAccountError,
    OverloadedError,
    TakenError,
    UnknownUserError,
    WeakPasswordError,
    WrongCredentialsError,
    WrongPasswordError,
)
from titanium_user.domain.models import (
    Account,
    Credentials,
    Notice,
    NoticeKind,
    ProfileChanges,
)
from titanium_user.domain.passwords import PasswordPolicy

pytestmark = pytest.mark.unit


class FakeAccounts:
    """One table in memory: `domain.ports.Accounts`."""

    def __init__(self) -> None:
        self.rows: dict[int, Account] = {}
        self.secrets: dict[int, Credentials] = {}
        self.open_checks = 0

    async def create(self, username: str, email: str, password_hash: str) -> Account:
        if any(username.lower() == row.username.lower() for row in self.rows.values()):
            raise TakenError
        user_id = len(self.rows) + 1
        account = Account(user_id, username, email, username, "", datetime.now(UTC))
        self.rows[user_id] = account
        self.secrets[user_id] = Credentials(user_id, username, email, password_hash, 1)
        return account

    async def by_id(self, user_id: int) -> Account | None:
        return self.rows.get(user_id)

    async def by_username(self, username: str) -> Account | None:
        return next((r for r in self.rows.values() if r.username == username), None)

    async def credentials(self, username: str) -> Credentials | None:
        return next((s for s in self.secrets.values() if s.username == username), None)

    async def begin_check(self, user_id: int) -> Credentials:
        if user_id not in self.secrets:
            raise NoAccountError
        self.open_checks += 1
        return self.secrets[user_id]

    async def end_check(self, user_id: int) -> None:
        self.open_checks = 0

    async def update(self, user_id: int, changes: ProfileChanges) -> Account:
        if user_id not in self.rows:
            raise NoAccountError
        self.rows[user_id] = replace(self.rows[user_id], bio=changes.bio or "")
        return self.rows[user_id]

    async def replace_hash(self, user_id: int, old: str, new: str) -> None:
        self.secrets[user_id] = replace(self.secrets[user_id], password_hash=new)

    async def change_password(self, user_id: int, epoch: int, new: str) -> Sequence[Notice]:
        known = self.secrets[user_id]
        if known.session_epoch != epoch:
            raise NoAccountError
        self.secrets[user_id] = replace(known, password_hash=new, session_epoch=epoch + 1)
        return [Notice(1, NoticeKind.END_SESSIONS, user_id, epoch + 1)]

    async def delete(self, user_id: int, epoch: int) -> Sequence[Notice]:
        del self.rows[user_id], self.secrets[user_id]
        return [
            Notice(1, NoticeKind.END_SESSIONS, user_id, epoch + 1),
            Notice(2, NoticeKind.REMOVE_POSTS, user_id, epoch + 1),
        ]


class FakeHasher:
    """Readable hashes, and a list of what was compared: `domain.ports.Hasher`."""

    def __init__(self) -> None:
        self.scheme = "new"
        self.busy = False
        self.compared: list[str | None] = []

    async def hash(self, password: str) -> str:
        if self.busy:
            raise OverloadedError
        return f"{self.scheme}:{password}"

    async def verify(self, password: str, hashed: str | None) -> bool:
        self.compared.append(hashed)
        return hashed is not None and hashed.partition(":")[2] == password

    def is_outdated(self, hashed: str) -> bool:
        return not hashed.startswith(self.scheme)


class World:
    """The service over its fakes."""

    def __init__(self, failure_seconds: float = 0) -> None:
        self.accounts = FakeAccounts()
        self.hasher = FakeHasher()
        self.told: list[Notice] = []
        self.forgotten: list[str] = []
        self.service = AccountService(
            self.accounts,
            self.hasher,
            PasswordPolicy({"password1"}),
            self,
            self,
            failure_seconds=failure_seconds,
        )

    async def deliver(self, notices: Sequence[Notice]) -> None:
        self.told += notices

    async def forget(self, username: str) -> None:
        self.forgotten.append(username)


async def registered() -> World:
    world = World()
    await world.service.register("minji", "minji@example.org", "long enough")
    return world


async def test_registering_hashes_the_password() -> None:
    world = await registered()
    assert world.accounts.secrets[1].password_hash == "new:long enough"


async def test_a_weak_password_is_refused_before_it_costs_anything() -> None:
    world = World()
    world.hasher.busy = True
    with pytest.raises(WeakPasswordError):
        await world.service.register("minji", "minji@example.org", "password1")


async def test_a_reserved_name_is_taken() -> None:
    with pytest.raises(TakenError):
        await World().service.register("ME", "minji@example.org", "long enough")


async def test_a_profile_is_found_and_an_impossible_name_is_not_asked_for() -> None:
    world = await registered()
    assert (await world.service.profile("minji")).id == 1
    for name in ("nobody", "\x00"):
        with pytest.raises(UnknownUserError):
            await world.service.profile(name)


async def test_the_own_account_may_be_gone() -> None:
    world = await registered()
    assert (await world.service.own(1)).username == "minji"
    with pytest.raises(NoAccountError):
        await world.service.own(2)


async def test_a_change_drops_the_cached_profile() -> None:
    world = await registered()
    await world.service.update(1, ProfileChanges(bio="new"))
    assert world.forgotten == ["minji"]


async def test_bar_44_every_refusal_compares_one_hash() -> None:
    world = await registered()
    secret = world.accounts.secrets[1]
    for name, disabled, compared in (
        ("minji", False, secret.password_hash),
        ("minji", True, secret.password_hash),
        ("nobody", False, None),
        ("\x00", False, None),
    ):
        world.accounts.secrets[1] = replace(secret, disabled=disabled)
        world.hasher.compared.clear()
        password = "long enough" if disabled else "wrong"
        with pytest.raises(WrongCredentialsError):
            await world.service.verify(name, password)
        assert world.hasher.compared == [compared]


async def test_bar_44_no_refusal_comes_before_its_time() -> None:
    world = World(failure_seconds=0.05)
    began = time.monotonic()
    with pytest.raises(WrongCredentialsError):
        await world.service.verify("nobody", "wrong")
    assert time.monotonic() - began >= 0.05


async def test_bar_41_a_login_renews_an_outdated_hash() -> None:
    world = await registered()
    world.hasher.scheme = "newer"
    assert (await world.service.verify("minji", "long enough")).session_epoch == 1
    assert world.accounts.secrets[1].password_hash == "newer:long enough"


async def test_a_login_succeeds_though_the_hash_cannot_be_renewed_now() -> None:
    world = await registered()
    world.hasher.scheme, world.hasher.busy = "newer", True
    assert (await world.service.verify("minji", "long enough")).user_id == 1
    assert world.accounts.secrets[1].password_hash == "new:long enough"


async def test_bar_48_a_password_change_ends_all_sessions() -> None:
    world = await registered()
    await world.service.change_password(1, "long enough", "another one")
    assert world.told == [Notice(1, NoticeKind.END_SESSIONS, 1, 2)]
    assert world.accounts.secrets[1].password_hash == "new:another one"


async def test_a_change_needs_the_present_password_and_a_good_next_one() -> None:
    world = await registered()
    with pytest.raises(WrongPasswordError):
        await world.service.change_password(1, "wrong", "another one")
    assert world.accounts.open_checks == 1
    with pytest.raises(WeakPasswordError):
        await world.service.change_password(1, "long enough", "password1")
    assert world.accounts.open_checks == 0
    assert world.told == []


async def test_bar_48_a_deletion_tells_auth_and_blog() -> None:
    world = await registered()
    with pytest.raises(WrongPasswordError):
        await world.service.delete(1, "wrong")
    await world.service.delete(1, "long enough")
    assert [notice.kind for notice in world.told] == list(NoticeKind)
    assert world.forgotten == ["minji"]
    assert world.accounts.rows == {}
