"""When Redis or PostgreSQL is gone, slow, or lost at a bad moment."""

from __future__ import annotations

import asyncio
import signal
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

from services.blog.tests.support import BlogUnderTest
from tests.redis_support import DelayingProxy, RedisServer
from titanium_blog.main import create_app
from titanium_blog.settings import Settings
from titanium_kit.testing import LocalIssuer, serving

pytestmark = pytest.mark.integration

Proxy = TypeVar("Proxy", bound=DelayingProxy)
READS = ("/api/posts", "/api/posts?q=content", "/api/categories", "/blog/")


class Replicas:
    """Starts replicas of the blog on one database; settings may be replaced."""

    def __init__(self, settings: Settings, stack: AsyncExitStack) -> None:
        self._settings = settings
        self._stack = stack
        self.issuer = LocalIssuer()

    async def start(self, **changes: Any) -> BlogUnderTest:
        settings = Settings(**{**self._settings.model_dump(), **changes})
        app = create_app(settings, self.issuer)
        client = await self._stack.enter_async_context(serving(app))
        return BlogUnderTest(app, client, self.issuer, settings)


@pytest.fixture
async def replicas(blog_settings: Settings) -> AsyncIterator[Replicas]:
    async with AsyncExitStack() as stack:
        yield Replicas(blog_settings, stack)


async def until(condition: Callable[[], Awaitable[bool]], within: float = 5.0) -> None:
    end = time.monotonic() + within
    while not await condition():
        assert time.monotonic() < end, "it does not come true"
        await asyncio.sleep(0.02)


async def live(blog: BlogUnderTest) -> bool:
    return bool(blog.app.state.blog.cache.max_age > 1)


async def titles(blog: BlogUnderTest) -> list[str]:
    return [post["title"] for post in (await blog.client.get("/api/posts")).json()]


async def test_a_write_is_seen_by_the_other_replica_within_a_second(
    replicas: Replicas, redis_server: RedisServer
) -> None:
    one, other = [await replicas.start(redis_url=redis_server.url) for _ in range(2)]
    await until(lambda: live(one))
    await until(lambda: live(other))
    post = await one.created("first")
    address = f"/api/posts/{post['id']}"
    assert await titles(other) == ["first"]
    assert (await other.client.get(address)).json()["title"] == "first"
    await one.client.patch(address, json={"title": "second"}, headers=one.bearer())
    assert await titles(one) == ["second"]

    async def seen() -> bool:
        single = (await other.client.get(address)).json()["title"]
        return await titles(other) == ["second"] and single == "second"

    await until(seen, within=1.0)
    await other.client.delete(address, headers=other.bearer())
    assert await titles(other) == []

    async def gone() -> bool:
        return await titles(one) == [] and (await one.client.get(address)).status_code == 404

    await until(gone, within=1.0)


async def test_lists_are_shared_through_redis_and_single_posts_are_not(
    replicas: Replicas, redis_server: RedisServer
) -> None:
    one = await replicas.start(redis_url=redis_server.url)
    await until(lambda: live(one))
    post = await one.created("first")
    for address in (*READS, f"/api/posts/{post['id']}", f"/blog/posts/{post['id']}"):
        assert (await one.client.get(address)).status_code == 200
    other = await replicas.start(
        redis_url=redis_server.url, database_url="postgresql://x@/x?host=/none"
    )
    for address in READS:
        assert (await other.client.get(address)).status_code == 200, address
    for address in (f"/api/posts/{post['id']}", f"/blog/posts/{post['id']}"):
        assert (await other.client.get(address)).status_code == 503


async def test_bar_21_redis_killed_costs_no_read_and_no_write(
    replicas: Replicas, redis_server: RedisServer
) -> None:
    blog = await replicas.start(redis_url=redis_server.url)
    await until(lambda: live(blog))
    await blog.created("before")
    statuses: list[int] = []
    for turn in range(40):
        if turn == 10:
            redis_server.kill()
        if turn == 30:
            redis_server.start()
        responses = [await blog.client.get(address) for address in READS]
        statuses += [response.status_code for response in responses]
        statuses.append((await blog.post(f"{turn}")).status_code)
        assert (await titles(blog))[0] == f"{turn}"
        await asyncio.sleep(0.02)
    assert set(statuses) == {200, 201}


async def test_bar_22_a_frozen_redis_costs_one_time_out_and_then_nothing(
    replicas: Replicas, redis_server: RedisServer
) -> None:
    blog = await replicas.start(redis_url=redis_server.url)
    await until(lambda: live(blog))
    await blog.created("before")
    process = redis_server._process
    assert process
    process.send_signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        assert (await blog.client.get("/api/posts?limit=7")).status_code == 200
        first = time.monotonic() - began
        began = time.monotonic()
        for limit in range(8, 28):
            assert (await blog.client.get(f"/api/posts?limit={limit}")).status_code == 200
        others = time.monotonic() - began
    finally:
        process.send_signal(signal.SIGCONT)
    assert first < 1.0  # the time-out is 0.1 s; the rest is for a busy machine
    assert others < 20 * 0.1


async def test_bar_22_redis_slower_by_a_second_keeps_reads_fast(
    replicas: Replicas, slow_redis: DelayingProxy
) -> None:
    """Without the pause after a failure every read would take at least the time-out."""
    blog = await replicas.start(redis_url=f"unix://{slow_redis.path}")
    await until(lambda: live(blog))
    await blog.created("before")
    slow_redis.delay = 1.0
    times = []
    for limit in range(1, 41):
        began = time.monotonic()
        assert (await blog.client.get(f"/api/posts?limit={limit}")).status_code == 200
        times.append(time.monotonic() - began)
    assert statistics.quantiles(times, n=20)[-1] < 0.1
    slow_redis.delay = 0.0


class CuttingProxy(DelayingProxy):
    """Can lose the answer to what it has passed on: the write happens, nobody hears of it."""

    cutting = False

    async def _pump(self, reader: Any, writer: Any, slow: bool) -> None:
        try:
            while data := await reader.read(65536):
                if slow and self.cutting:
                    break
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def before_database(
    kind: type[Proxy], settings: Settings
) -> AsyncIterator[tuple[Proxy, str]]:
    """A proxy in front of PostgreSQL, and the database's address through it."""
    with tempfile.TemporaryDirectory(prefix="ti-pp-") as name:
        host = Path(settings.database_url.partition("host=")[2])
        port = ".s.PGSQL.5432"
        proxy = kind(Path(name) / port, host / port)
        async for _ in proxy.run():
            yield proxy, settings.database_url.replace(str(host), name)


async def test_bar_23_a_database_slower_by_200_ms_fails_no_request_at_baseline_load(
    replicas: Replicas, blog_settings: Settings
) -> None:
    """10 requests a second that no cache answers, one in four a new post, from the moment on in
    which the database becomes slow: about half of what its connections can do then."""
    async with before_database(DelayingProxy, blog_settings) as (proxy, url):
        blog = await replicas.start(database_url=url)
        await blog.created("first")
        proxy.delay = 0.2
        sent = []
        for number in range(40):
            if number % 4:
                work = blog.client.get(f"/api/posts?limit={number + 1}")
            else:
                work = blog.post("t", f"content {number}")
            sent.append(asyncio.create_task(work))
            await asyncio.sleep(0.1)
        answers = await asyncio.gather(*sent)
    assert Counter(answer.status_code for answer in answers) == {200: 30, 201: 10}


async def test_bar_13_an_answer_lost_by_the_database_is_503_and_a_retry_makes_no_second_post(
    replicas: Replicas, blog_settings: Settings
) -> None:
    async with before_database(CuttingProxy, blog_settings) as (proxy, url):
        blog = await replicas.start(database_url=url)
        await blog.created("first")
        for turn in range(5):
            key = {"Idempotency-Key": f"key-{turn}"}
            proxy.cutting = True
            lost = await blog.post("t", f"content {turn}", headers=key)
            assert lost.status_code == 503
            assert lost.headers["retry-after"]
            proxy.cutting = False
            again = await blog.post("t", f"content {turn}", headers=key)
            assert again.status_code == 201
            rows = await blog.sql("SELECT id FROM posts WHERE content = $1", f"content {turn}")
            assert [row["id"] for row in rows] == [again.json()["id"]]


async def test_without_a_database_answers_are_503_with_retry_after(replicas: Replicas) -> None:
    blog = await replicas.start(database_url="postgresql://x@/x?host=/nowhere")
    for address in (*READS, "/api/posts/1", "/blog/posts/1"):
        response = await blog.client.get(address)
        assert (response.status_code, response.headers["retry-after"]) == (503, "1")
        assert response.headers["content-type"].startswith(
            "text/html" if address.startswith("/blog") else "application/problem+json"
        )
    assert (await blog.post()).status_code == 503
    assert (await blog.client.delete("/internal/authors/1")).status_code == 503


async def test_what_is_cached_is_read_without_a_database_for_a_while(
    replicas: Replicas, redis_server: RedisServer, blog_settings: Settings
) -> None:
    blog = await replicas.start(redis_url=redis_server.url)
    await until(lambda: live(blog))
    await blog.created("kept")
    assert await titles(blog) == ["kept"]
    await blog.app.state.blog.reader._database.stop()
    assert await titles(blog) == ["kept"]


async def test_the_service_stays_ready_without_redis_or_auth(replicas: Replicas) -> None:
    blog = await replicas.start(redis_url="unix:///nowhere/redis.sock")
    response = await blog.client.get("/internal/readyz")
    assert response.status_code == 200
    assert response.json()["checks"]["postgres"] == "ok"
    assert response.json()["checks"]["redis"] != "ok"
