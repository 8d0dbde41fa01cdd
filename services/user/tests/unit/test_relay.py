"""Telling other services, over fakes of the outbox and of the peers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest

from titanium_kit.metrics import Metrics
from titanium_kit.problems import Unavailable
from titanium_user.adapters import relay as module
from titanium_user.adapters.outbox import Outbox
from titanium_user.adapters.relay import Relay
from titanium_user.domain.models import Notice, NoticeKind

pytestmark = pytest.mark.unit

NOTICE = Notice(1, NoticeKind.END_SESSIONS, 7, 2)


class FakeOutbox(Outbox):
    """Rows in memory; `failures` are raised by the next calls."""

    def __init__(self, *waiting: Notice) -> None:
        self.waiting = list(waiting)
        self.log: list[str] = []
        self.failures: list[Exception] = []

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.pop(0)

    async def claim(self, limit: int) -> Sequence[Notice]:
        self._fail()
        claimed, self.waiting = self.waiting[:limit], self.waiting[limit:]
        return claimed

    async def done(self, notice: Notice) -> None:
        self.log.append("done")
        self._fail()

    async def postpone(self, notice: Notice) -> None:
        self.log.append("postponed")


class FakePeers:
    """Answers after `delay` seconds; the first `refusals` answers are errors."""

    def __init__(self, *, delay: float = 0, refusals: int = 0) -> None:
        self.delay = delay
        self.refusals = refusals
        self.told: list[Notice] = []

    async def tell(self, notice: Notice) -> None:
        await asyncio.sleep(self.delay)
        if self.refusals:
            self.refusals -= 1
            raise Unavailable("away")
        self.told.append(notice)


def make(outbox: FakeOutbox, peers: FakePeers) -> Relay:
    return Relay(outbox, peers, Metrics("user"))


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - the fakes are plain lists
            await asyncio.sleep(0.001)


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "POLL_EVERY", 0.005)
    monkeypatch.setattr(module, "WAIT", 0.05)
    monkeypatch.setattr(module, "CALL_TIMEOUT", 0.2)


async def test_nothing_to_deliver_takes_no_time() -> None:
    await make(FakeOutbox(), FakePeers()).deliver([])


async def test_a_delivery_is_settled_when_deliver_returns() -> None:
    outbox, peers = FakeOutbox(), FakePeers()
    await make(outbox, peers).deliver([NOTICE])
    assert (peers.told, outbox.log) == ([NOTICE], ["done"])


async def test_a_refusal_is_postponed() -> None:
    outbox, peers = FakeOutbox(), FakePeers(refusals=1)
    await make(outbox, peers).deliver([NOTICE])
    assert (peers.told, outbox.log) == ([], ["postponed"])


async def test_a_slow_peer_is_waited_for_in_the_background() -> None:
    outbox, peers = FakeOutbox(), FakePeers(delay=0.1)
    await make(outbox, peers).deliver([NOTICE])
    assert peers.told == []
    await until(lambda: outbox.log == ["done"])


async def test_a_silent_peer_is_given_up() -> None:
    outbox = FakeOutbox()
    await make(outbox, FakePeers(delay=60)).deliver([NOTICE])
    await until(lambda: outbox.log == ["postponed"])


async def test_what_others_left_is_found_though_the_database_was_away() -> None:
    outbox, peers = FakeOutbox(NOTICE), FakePeers()
    outbox.failures = [Unavailable("away"), Unavailable("away"), RuntimeError("odd")]
    relay = make(outbox, peers)
    with pytest.raises(Unavailable):
        await relay.check()
    await relay.start()
    await relay.check()
    await until(lambda: peers.told == [NOTICE])
    await relay.stop()
    with pytest.raises(Unavailable):
        await relay.check()


async def test_a_delivery_that_cannot_be_noted_is_left_to_its_lease() -> None:
    outbox, peers = FakeOutbox(), FakePeers()
    outbox.failures = [Unavailable("away")]
    await make(outbox, peers).deliver([NOTICE])
    assert peers.told == [NOTICE]


async def test_stopping_ends_deliveries_under_way() -> None:
    outbox, peers = FakeOutbox(), FakePeers(delay=60)
    relay = make(outbox, peers)
    await relay.deliver([NOTICE])
    await relay.stop()
    assert (peers.told, outbox.log) == ([], [])
