"""Two replicas over a real Redis: invalidation, its loss, its slowness, wrong values in it."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import orjson
import pytest
from redis.asyncio import Redis
from starlette.types import Scope

from titanium_kit.cache import Entry, ResponseCache, shared
from titanium_kit.cache.shared import SharedCache
from titanium_kit.metrics import Metrics
from titanium_kit.settings import ServiceSettings

pytestmark = pytest.mark.integration

Replicas = Callable[..., Awaitable[ResponseCache]]


def scope_of(path: str) -> Scope:
    return {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [],
    }


class Source:
    """What a database would answer, and how often it was asked."""

    def __init__(self, max_age: float = math.inf) -> None:
        self.text, self.asked, self.max_age = "one", 0, max_age

    async def build(self) -> Entry:
        self.asked += 1
        return Entry.of(self.text.encode(), "text/plain", max_age=self.max_age)


async def read(cache: ResponseCache, source: Source, path: str = "/x", tag: str = "t") -> str:
    """As a request: the process's layer first, then Redis, then the source."""
    entry = cache.local.get(path.encode(), cache.max_age)
    if entry is None:
        response: Any = await cache.respond(scope_of(path), (tag,), source.build, shared=True)
        entry = response.entry
    return entry.body.decode()


def layer(cache: ResponseCache) -> SharedCache:
    assert cache._shared
    return cache._shared


@pytest.fixture
async def replica(
    redis_server: Any, settings: Callable[..., ServiceSettings], eventually: Callable[..., Any]
) -> AsyncIterator[Replicas]:
    """A function: starts a replica's cache and waits until it hears of invalidations."""
    made: list[ResponseCache] = []

    async def start(url: str = "", wait: bool = True, timeout: float = 0.1) -> ResponseCache:
        chosen = settings(redis_url=url or redis_server.url, cache_timeout=timeout)
        cache = ResponseCache(chosen, Metrics("test"))
        made.append(cache)
        await cache.start()
        if wait:
            await eventually(lambda: layer(cache).live)
        return cache

    yield start
    for cache in made:
        await cache.stop()


async def test_one_replicas_answer_serves_the_other(replica: Replicas) -> None:
    a, b, source = await replica(), await replica(), Source()
    assert await read(a, source) == "one"
    source.text = "two"
    assert await read(b, source) == "one"
    assert source.asked == 1
    assert a.max_age == b.max_age == 60.0
    await a.check()


async def test_an_answer_with_an_age_of_its_own_is_kept_so_long_and_in_one_process(
    replica: Replicas,
) -> None:
    """In Redis it could grow older than it says."""
    a, b, source = await replica(), await replica(), Source(max_age=0.3)
    assert await read(a, source) == "one"
    source.text = "two"
    assert await read(a, source) == "one"
    assert await read(b, source) == "two"
    await asyncio.sleep(0.4)
    assert await read(a, source) == "two"


async def test_an_invalidation_reaches_the_other_replica_within_a_second(
    replica: Replicas, eventually: Callable[..., Any]
) -> None:
    a, b, source = await replica(), await replica(), Source()
    await read(a, source)
    await read(b, source)
    source.text = "two"
    await a.invalidate("t")
    assert await read(a, source) == "two"
    took = await eventually(lambda: b.local.get(b"/x", 60.0) is None)
    assert took < 1.0
    assert await read(b, source) == "two"


async def test_other_tags_are_left_alone(replica: Replicas) -> None:
    a, source = await replica(), Source()
    await read(a, source, "/x", "x")
    await read(a, source, "/y", "y")
    await a.invalidate("x")
    await read(a, source, "/y", "y")
    assert source.asked == 2


async def test_what_an_old_reader_stores_is_never_read(replica: Replicas) -> None:
    a, b, source = await replica(), await replica(), Source()

    async def slow_and_old() -> Entry:
        entry = await source.build()
        source.text = "two"
        await b.invalidate("t")
        return entry

    response: Any = await a.respond(scope_of("/x"), ("t",), slow_and_old, shared=True)
    assert response.entry.body == b"one"
    await asyncio.sleep(0.1)
    assert await read(b, source) == "two"
    assert await read(a, source) == "two"


@pytest.mark.parametrize("junk", [b"", b"junk", b"[]\nbody", b"\xff\xfe\n", b'{"headers":1}\n'])
async def test_a_wrong_value_in_redis_is_a_miss(
    junk: bytes, replica: Replicas, redis_server: Any
) -> None:
    a, b, source = await replica(), await replica(), Source()
    await read(a, source)
    async with Redis.from_url(redis_server.url) as client:
        (key,) = await client.keys("test:entry:*")
        await client.set(key, junk)
    source.text = "two"
    assert await read(b, source) == "two"
    c = await replica()
    assert await read(c, Source()) == "two", "the wrong value was replaced"


async def test_a_key_of_another_type_is_a_miss(replica: Replicas, redis_server: Any) -> None:
    a, b, source = await replica(), await replica(), Source()
    await read(a, source)
    async with Redis.from_url(redis_server.url) as client:
        (key,) = await client.keys("test:entry:*")
        await client.delete(key)
        await client.lpush(key, "x")
    source.text = "two"
    assert await read(b, source) == "two"


@pytest.mark.parametrize("junk", [b"not json", b'{"a": 1}', b"[1]", b"5"])
async def test_a_wrong_message_forgets_everything(
    junk: bytes, replica: Replicas, redis_server: Any, eventually: Callable[..., Any]
) -> None:
    a, source = await replica(), Source()
    await read(a, source)
    async with Redis.from_url(redis_server.url) as client:
        await client.publish("test:invalidate", junk)
    await eventually(lambda: a.local.get(b"/x", 60.0) is None, 1.0)
    await eventually(lambda: layer(a).live)


async def test_bar_21_redis_killed_costs_no_answer_and_entries_live_a_second_at_most(
    replica: Replicas, redis_server: Any, eventually: Callable[..., Any]
) -> None:
    a, b, source = await replica(), await replica(), Source()
    await read(a, source)
    await read(b, source)
    redis_server.kill()
    source.text = "two"
    written = time.monotonic()
    await a.invalidate("t")
    while await read(b, source) == "one":  # noqa: ASYNC110 - time is what is measured
        await asyncio.sleep(0.01)
    assert time.monotonic() - written < 1.0 + 0.2
    assert await read(a, source) == "two"
    assert a.max_age == b.max_age == 1.0
    with pytest.raises(Exception):  # noqa: B017
        await a.check()

    source.text = "three"
    await a.invalidate("other")
    redis_server.start()
    await eventually(lambda: layer(a).live and layer(b).live and layer(a).usable, 6.0)
    assert a.max_age == 60.0
    assert a.local.get(b"/x", 60.0) is None, "what may be old is forgotten on recovery"
    assert await read(b, source) == "three"
    await a.check()


async def test_an_invalidation_during_an_outage_is_told_when_it_is_over(
    replica: Replicas, redis_server: Any, slow_redis: Any, eventually: Callable[..., Any]
) -> None:
    """One replica alone loses Redis; the other must hear what it wrote meanwhile."""
    a, b = await replica(f"unix://{slow_redis.path}"), await replica()
    source = Source()
    await read(b, source)
    slow_redis.delay = 1.0
    source.text = "two"
    await a.invalidate("t")
    assert not layer(a).usable, "its own entries in Redis are not read before it could tell"
    slow_redis.delay = 0.0
    await eventually(lambda: b.local.get(b"/x", 60.0) is None, 4.0)
    assert await read(b, source) == "two"
    await eventually(lambda: layer(a)._unsent == {}, 4.0)


async def test_bar_22_a_slow_redis_costs_one_time_out_and_then_nothing(
    replica: Replicas, slow_redis: Any, eventually: Callable[..., Any]
) -> None:
    a, source = await replica(f"unix://{slow_redis.path}"), Source()
    await read(a, source, "/warm")
    slow_redis.delay = 1.0
    durations = []
    for number in range(30):
        began = time.monotonic()
        assert await read(a, source, f"/{number}") == "one"
        durations.append(time.monotonic() - began)
    assert durations[0] < 0.15
    assert max(durations[1:]) < 0.05
    assert not layer(a).usable
    assert await eventually(lambda: not layer(a).live, 1.5) < 1.5
    assert a.max_age == 1.0

    slow_redis.delay = 0.0
    await eventually(lambda: layer(a).usable and layer(a).live, 8.0)
    values = [await read(a, Source(), f"/again/{number}") for number in range(20)]
    assert values == ["one"] * 20, "no answer may be another question's late answer"
    assert layer(a).usable


async def test_late_answers_are_not_taken_for_live(
    replica: Replicas, slow_redis: Any, eventually: Callable[..., Any]
) -> None:
    a = await replica(f"unix://{slow_redis.path}")
    slow_redis.delay = 0.9
    await eventually(lambda: not layer(a).live, 1.5)
    deadline = time.monotonic() + 1.5
    while time.monotonic() < deadline:
        assert not layer(a).live
        await asyncio.sleep(0.05)


async def test_more_callers_than_connections_wait_in_line(replica: Replicas) -> None:
    a, source = await replica(timeout=2.0), Source()  # a busy machine is no reason to give up
    await asyncio.gather(*(read(a, source, f"/{n}") for n in range(shared.CONNECTIONS * 4)))
    assert layer(a).usable


async def test_an_invalidation_confirmed_late_does_not_hide_a_newer_one(
    replica: Replicas,
) -> None:
    a = layer(await replica())
    first = asyncio.create_task(a.invalidate(["t"]))
    await asyncio.sleep(0)
    a._count += 1
    a._unsent["t"] = a._count  # as a second call whose own sending is still under way
    await first
    assert not a.usable
    await a._send()
    assert a.usable


async def test_what_could_not_be_told_for_minutes_is_forgotten(
    replica: Replicas, redis_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis_server.kill()
    a = layer(await replica(wait=False))
    await a.invalidate(f"old{n}" for n in range(1001))
    assert len(a._unsent) == 1001
    monkeypatch.setattr(shared, "FORGET_AFTER", 0)
    await a.invalidate(["new"])
    assert len(a._unsent) <= 1


async def test_versions_never_repeat_after_redis_lost_its_memory(
    replica: Replicas, redis_server: Any
) -> None:
    a = await replica()
    await a.invalidate("t")
    async with Redis.from_url(redis_server.url) as client:
        before = int(await client.get("test:version:t") or 0)
        await client.flushall()
        await a.invalidate("t")
        assert int(await client.get("test:version:t") or 0) > before
        assert orjson.loads(b"[]") == []
