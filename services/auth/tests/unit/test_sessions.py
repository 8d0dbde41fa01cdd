"""The use cases on fakes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from titanium_auth.domain.errors import SessionEndedError, ThrottledError, WrongCredentialsError
from titanium_auth.domain.models import Account, Session
from titanium_auth.domain.ports import Rotation
from titanium_auth.domain.refresh import RefreshTokens
from titanium_auth.domain.sessions import Sessions
from titanium_auth.domain.throttle import Attempt, Standing

pytestmark = pytest.mark.unit

SESSION = Session(uuid4(), 1, "alice", datetime.now(UTC) + timedelta(days=30))


class Users:
    """Knows alice; counts questions."""

    asked = 0

    async def verify(self, username: str, password: str) -> Account | None:
        self.asked += 1
        return Account(1, "alice", 0) if (username, password) == ("alice", "right") else None


class Failures:
    """Answers with the standings given, the last one for ever."""

    def __init__(self, standings: Sequence[int] = (0,), add: int = 0) -> None:
        self.failures = list(standings)
        self.add_answer = add
        self.added: list[Attempt] = []

    async def standing(self, attempt: Attempt) -> Standing:
        count = self.failures.pop(0) if len(self.failures) > 1 else self.failures[0]
        now = datetime.now(UTC)
        return Standing([now] * count, (), known=False, now=now)

    async def add(self, attempt: Attempt) -> int:
        self.added.append(attempt)
        return self.add_answer


class Store:
    """One session; remembers what was asked of it."""

    def __init__(self, session: Session | None = SESSION) -> None:
        self.session = session
        self.waits = [0.25, 0.1, 0.0]
        self.ended: list[object] = []

    async def open(self, account: Account, family: bytes, attempt: Attempt) -> Session | None:
        return self.session

    async def rotate(self, family: bytes, generation: int, arrived: float) -> Rotation:
        return Rotation(SESSION, generation + 1, datetime.now(UTC))

    async def release(self, rotation: Rotation) -> float:
        return self.waits.pop(0)

    async def end(self, session_id: UUID) -> None:
        self.ended.append(session_id)

    async def end_family(self, family: bytes) -> None:
        self.ended.append(family)

    async def end_older(self, user_id: int, epoch: int) -> None:
        self.ended.append((user_id, epoch))


class Signer:
    """Tokens that name their session."""

    def issue(self, session: Session) -> tuple[str, int]:
        return f"access {session.id}", 900


class World:
    """The use cases and their fakes."""

    def __init__(self, *, failures: Failures | None = None, store: Store | None = None) -> None:
        self.users = Users()
        self.failures = failures or Failures()
        self.store = store or Store()
        self.slept: list[float] = []
        self.refresh_tokens = RefreshTokens(b"k" * 32)
        self.sessions = Sessions(
            credentials=self.users,
            failures=self.failures,
            store=self.store,
            access_tokens=Signer(),
            refresh_tokens=self.refresh_tokens,
            sleep=self.sleep,
        )

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


async def test_login_grants_both_tokens() -> None:
    """The first refresh token has generation 0."""
    world = World()
    grant = await world.sessions.login("alice", "right", "192.0.2.1")
    assert grant.access_token == f"access {SESSION.id}"
    first = world.refresh_tokens.read(grant.refresh_token)
    assert first
    assert first.generation == 0
    assert 30 * 86_400 - 3600 < grant.refresh_seconds <= 30 * 86_400


async def test_bar_44_wrong_password_and_unknown_name_take_the_same_steps() -> None:
    """The same error, one question to the user service and one recorded failure each."""
    worlds = World(), World()
    messages = []
    for world, name in zip(worlds, ("alice", "nobody"), strict=True):
        with pytest.raises(WrongCredentialsError) as caught:
            await world.sessions.login(name, "wrong", "192.0.2.1")
        messages.append(str(caught.value))
        assert world.users.asked == 1
        assert len(world.failures.added) == 1
    assert len(set(messages)) == 1


async def test_bar_43_throttled_login_costs_no_hash() -> None:
    """The user service is not asked, whatever the password."""
    world = World(failures=Failures([10]))
    with pytest.raises(ThrottledError) as caught:
        await world.sessions.login("alice", "right", "192.0.2.1")
    assert caught.value.retry_after == 900
    assert world.users.asked == 0


async def test_bar_43_parallel_guess_beyond_the_limit_learns_nothing() -> None:
    """Wrong and right passwords get the same refusal when others used the limit up meanwhile."""
    wrong = World(failures=Failures(add=77))
    with pytest.raises(ThrottledError) as caught:
        await wrong.sessions.login("alice", "wrong", "192.0.2.1")
    assert caught.value.retry_after == 77
    right = World(failures=Failures([0, 10]))
    with pytest.raises(ThrottledError):
        await right.sessions.login("alice", "right", "192.0.2.1")


async def test_login_that_read_an_old_epoch_is_refused() -> None:
    """The password was changed between the check and the session."""
    world = World(store=Store(session=None))
    with pytest.raises(WrongCredentialsError):
        await world.sessions.login("alice", "right", "192.0.2.1")


async def test_refresh_waits_until_its_answer_may_leave() -> None:
    """The store says how long; the successor is the next generation of the same family."""
    world = World()
    login = await world.sessions.login("alice", "right", "192.0.2.1")
    grant = await world.sessions.refresh(login.refresh_token, 0.0)
    assert world.slept == [0.25, 0.1]
    before = world.refresh_tokens.read(login.refresh_token)
    assert before
    assert world.refresh_tokens.read(grant.refresh_token) == before.successor()


async def test_forged_refresh_token_never_reaches_the_database() -> None:
    """Its tag is checked first."""
    world = World()
    with pytest.raises(SessionEndedError):
        await world.sessions.refresh("forged", 0.0)
    assert await world.sessions.logout_by_refresh_token("forged") is False
    assert world.store.ended == []


async def test_logout_ends_what_it_is_given() -> None:
    """A session by its id, a family by any of its tokens, an account's older sessions."""
    world = World()
    token = world.refresh_tokens.first()
    await world.sessions.logout(SESSION.id)
    assert await world.sessions.logout_by_refresh_token(world.refresh_tokens.write(token))
    await world.sessions.end_older(1, 2)
    assert world.store.ended == [SESSION.id, token.family, (1, 2)]
