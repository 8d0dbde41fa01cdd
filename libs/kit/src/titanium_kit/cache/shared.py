"""The layer in Redis, and the channel that carries invalidations between replicas.

An entry's Redis key contains the version of each of its tags, so that what an old reader stores
is never read by anyone who knows the new version. Every command has a time-out; after a failure
Redis is left alone for a while, so that a slow Redis costs one time-out, not one each request.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

import orjson
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from titanium_kit.background import Background
from titanium_kit.logs import get_logger
from titanium_kit.tracing import Span, child_span

logger = get_logger(__name__)

FAILURES = (RedisError, OSError, TimeoutError, ValueError)
PAUSE = 2.0
PING_EVERY = 0.4
CONNECTIONS = 32
AT_ONCE = 16
FORGET_AFTER = 180 * 10**9  # ns; longer than an old entry lives in Redis and then in a process


class SharedCache:
    """Redis as a cache of `prefix`: never the only copy of anything, never waited for long."""

    def __init__(
        self,
        url: str,
        password: str,
        prefix: str,
        timeout: float,
        on_invalidate: Callable[[list[str]], None],
        on_reconnect: Callable[[], None],
    ) -> None:
        self._prefix = prefix
        self._timeout = timeout
        self._on_invalidate = on_invalidate
        self._on_reconnect = on_reconnect
        self._channel = f"{prefix}:invalidate"
        self._redis = self._connect(url, password, timeout)
        self._listener_redis = self._connect(url, password, None)
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._quiet_until = 0.0
        self._live_until = 0.0
        self._unsent: dict[str, int] = {}
        self._count = 0
        self._sending = asyncio.Lock()
        self._task = Background("cache-invalidations", self._listen)

    @staticmethod
    def _connect(url: str, password: str, timeout: float | None) -> Redis:
        # More callers than connections wait in line; a plain pool would raise an error, and one
        # busy moment would look like a lost Redis.
        pool = BlockingConnectionPool.from_url(
            url,
            password=password or None,
            timeout=timeout,
            socket_timeout=timeout,
            socket_connect_timeout=0.5,
            retry=Retry(NoBackoff(), 0),
            max_connections=CONNECTIONS,
        )
        return Redis.from_pool(pool)

    @property
    def live(self) -> bool:
        """Whether invalidations of other replicas reach this process right now."""
        return time.monotonic() < self._live_until

    @property
    def usable(self) -> bool:
        """Whether entries may be read: Redis answers and knows every invalidation made here."""
        return time.monotonic() >= self._quiet_until and not self._unsent

    async def start(self) -> None:
        self._task.start()

    async def stop(self) -> None:
        await self._task.stop()
        await self._redis.aclose()
        await self._listener_redis.aclose()

    async def ping(self) -> None:
        """Raises when Redis does not answer in time."""
        async with asyncio.timeout(self._timeout):
            await self._redis.ping()

    async def get(self, key: str, tags: Iterable[str]) -> tuple[str, bytes | None] | None:
        """(versioned key, value or None), or None when Redis is not usable."""
        if not self.usable:
            return None
        names = [f"{self._prefix}:version:{tag}" for tag in sorted(tags)]
        # The line before the slots is no fault of Redis, so the time-out begins behind it. When
        # Redis is slow, the first failure sends everybody in the line away.
        async with self._slots:
            if not self.usable:
                return None
            try:
                async with asyncio.timeout(self._timeout):
                    with _traced("MGET"):
                        versions = await self._redis.mget(names)
                    mark = ".".join(_digits(version) for version in versions)
                    full = f"{self._prefix}:entry:{mark}:{key}"
                    with _traced("GET"):
                        value = await self._redis.get(full)
                    return full, value if isinstance(value, bytes) else None
            except FAILURES as error:
                self._failed(error)
                return None

    async def set(self, versioned_key: str, value: bytes, ttl: int) -> None:
        """Keep `value` for `ttl` seconds under a key that `get` returned."""
        async with self._slots:
            if not self.usable:
                return
            try:
                async with asyncio.timeout(self._timeout):
                    with _traced("SET"):
                        await self._redis.set(versioned_key, value, ex=ttl)
            except FAILURES as error:
                self._failed(error)

    async def invalidate(self, tags: Iterable[str]) -> None:
        """Raise the tags' versions and tell the other replicas; retried until Redis took it."""
        names = tuple(tags)
        self._count = max(self._count + 1, time.monotonic_ns())
        self._unsent.update(dict.fromkeys(names, self._count))
        if len(self._unsent) > 1000:
            oldest = self._count - FORGET_AFTER
            self._unsent = {tag: count for tag, count in self._unsent.items() if count > oldest}
        # One at a time, with the tags of all who wait meanwhile: many writers at once share one
        # round trip instead of each sending what all have not sent yet.
        async with self._sending:
            left = any(name in self._unsent for name in names)
            if left and time.monotonic() >= self._quiet_until:
                await self._send()

    async def _send(self) -> None:
        """Send what is unsent; the caller holds `_sending`."""
        sent = dict(self._unsent)
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._redis.pipeline(transaction=True) as pipe,
            ):
                for tag in sent:
                    name = f"{self._prefix}:version:{tag}"
                    # A start from the clock: a restarted Redis must not repeat its past versions.
                    pipe.set(name, time.time_ns(), nx=True, ex=86_400)
                    pipe.incr(name)
                pipe.publish(self._channel, orjson.dumps(list(sent)))
                with _traced("MULTI"):
                    await pipe.execute()
        except FAILURES as error:
            self._failed(error)
        else:
            for tag, count in sent.items():
                # Invalidated again meanwhile: that one is another call's to confirm.
                if self._unsent.get(tag) == count:
                    del self._unsent[tag]

    def _failed(self, error: BaseException) -> None:
        if time.monotonic() >= self._quiet_until:
            logger.warning("cache_unavailable", reason=type(error).__name__, pause_s=PAUSE)
        self._quiet_until = time.monotonic() + PAUSE
        self._live_until = 0.0

    async def _listen(self) -> None:
        """Follow the channel for ever; a lost connection or a late pong ends `live`."""
        while True:
            try:
                async with self._listener_redis.pubsub() as channel:
                    asked = time.monotonic()
                    async with asyncio.timeout(3 * PING_EVERY):
                        await channel.subscribe(self._channel)
                    await self._follow(channel, asked)
            except FAILURES as error:
                self._failed(error)
            await asyncio.sleep(PING_EVERY)

    async def _follow(self, channel: PubSub, asked: float) -> None:
        waiting = True
        while True:
            if self._unsent and not self._sending.locked():
                # In the background, so also during a pause: the other replicas have to know.
                # What another task is sending is not sent twice: its own message wakes this one.
                async with self._sending:
                    await self._send()
            wait = asked + PING_EVERY - time.monotonic()
            if wait <= 0:
                if not waiting:
                    asked, waiting = time.monotonic(), True
                    await channel.ping()
                elif wait < -2 * PING_EVERY:
                    raise TimeoutError
                wait = PING_EVERY / 2
            message = await channel.get_message(timeout=wait)
            if message is None:
                continue
            if message["type"] == "message":
                self._received(message["data"])
            elif waiting:
                waiting = False
                self._heard(asked)

    def _heard(self, asked: float) -> None:
        """An answer to what was sent at `asked`: until then at least, no message is missing.

        Counted from the question, so that a Redis that answers late is not taken for live.
        """
        until = asked + 2 * PING_EVERY
        if until <= time.monotonic():
            return
        if not self.live:
            self._on_reconnect()
        self._live_until = until

    def _received(self, data: bytes) -> None:
        try:
            tags = orjson.loads(data)
        except ValueError:
            tags = None
        if isinstance(tags, list) and all(isinstance(tag, str) for tag in tags):
            self._on_invalidate(tags)
        else:  # not ours; to forget everything is always right
            self._on_reconnect()


def _traced(command: str) -> AbstractContextManager[Span | None]:
    return child_span(command, {"db.system.name": "redis", "db.operation.name": command})


def _digits(version: bytes | str | None) -> str:
    return version.decode() if isinstance(version, bytes) else version or "0"
