"""The two layers together: what handlers and the middleware use."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Collection

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from titanium_kit.cache.entry import Entry
from titanium_kit.cache.local import LocalCache
from titanium_kit.cache.shared import SharedCache
from titanium_kit.metrics import Metrics
from titanium_kit.problems import Unavailable
from titanium_kit.routes import route_template
from titanium_kit.settings import ServiceSettings

LOCAL_MAX_AGE = 60.0
LOCAL_MAX_AGE_ALONE = 1.0
SHARED_TTL = 60


class EntryResponse(Response):
    """An entry as a response: 304 when If-None-Match names it, and no body for HEAD."""

    def __init__(self, entry: Entry) -> None:
        super().__init__()
        self.entry = entry

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        if self.entry.unchanged_for(scope["headers"]):
            await send(self.entry.not_modified)
            await send({"type": "http.response.body"})
            return
        await send(self.entry.start)
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body"})
        else:
            await send(self.entry.end)


class ResponseCache:
    """Cached GET answers of one service.

    `respond` in a handler looks in Redis (when `shared`), builds on a miss, once for all who wait
    for the same key, and stores. `CacheMiddleware` answers the next such request by itself.

    `variant` adds to the key what an answer depends on besides its address (nothing: `b""`); it is
    asked only when there is no answer under the address alone.
    """

    name = "redis"
    required = False

    def __init__(
        self,
        settings: ServiceSettings,
        metrics: Metrics,
        variant: Callable[[Scope], bytes] | None = None,
    ) -> None:
        self.variant = variant
        self.local = LocalCache(settings.cache_max_bytes)
        self._building: dict[tuple[bytes, int], asyncio.Future[Entry]] = {}
        self.hits = 0  # a plain number: the middleware counts on the hot path
        self._reported = 0
        self.count_hit = metrics.cache_counter("process", "hit").inc
        self.count_miss = metrics.cache_counter("process", "miss").inc
        metrics.before_exposition(self._report)
        self._shared_hit = metrics.cache_counter("redis", "hit").inc
        self._shared_miss = metrics.cache_counter("redis", "miss").inc
        self._shared_error = metrics.cache_counter("redis", "error").inc
        self._shared: SharedCache | None = None
        if settings.redis_url:
            self._shared = SharedCache(
                settings.redis_url,
                settings.redis_password.get_secret_value(),
                settings.service,
                settings.cache_timeout,
                self.local.invalidate,
                self.local.clear,
            )

    async def start(self) -> None:
        if self._shared:
            await self._shared.start()

    async def stop(self) -> None:
        if self._shared:
            await self._shared.stop()

    async def check(self) -> None:
        if self._shared:
            await self._shared.ping()

    @property
    def max_age(self) -> float:
        """How old an entry of the process's layer may be, in seconds."""
        alone = self._shared is None or not self._shared.live
        return LOCAL_MAX_AGE_ALONE if alone else LOCAL_MAX_AGE

    async def invalidate(self, *tags: str) -> None:
        """Forget what carries one of `tags`, here and in every replica. Call after the commit."""
        self.local.invalidate(tags)
        if self._shared:
            await self._shared.invalidate(tags)

    async def respond(
        self,
        scope: Scope,
        tags: tuple[str, ...],
        build: Callable[[], Awaitable[Entry]],
        *,
        shared: bool = False,
        found: Collection[str] = (),
    ) -> Response:
        """The answer for `scope` from Redis or `build`; problems raised by `build` pass through.

        `found` may be filled by `build` with more tags, which the process's layer alone knows.
        """
        self.count_miss()
        key = cache_key(scope)
        if self.variant is not None:
            key += self.variant(scope)
        generation = self.local.generation
        waiting = self._building.get((key, generation))
        if waiting is not None:
            return EntryResponse(await asyncio.shield(waiting))
        future: asyncio.Future[Entry] = asyncio.get_running_loop().create_future()
        self._building[key, generation] = future
        try:
            entry = await self._fetch(key, tags, build, shared)
        except BaseException as error:
            cancelled = not isinstance(error, Exception)
            future.set_exception(Unavailable("Try again in a moment.") if cancelled else error)
            future.exception()  # whoever waits sees it; nobody waiting is no mistake
            raise
        else:
            future.set_result(entry)
        finally:
            del self._building[key, generation]
        object.__setattr__(entry, "route", route_template(scope))
        self.local.store(key, entry, (*tags, *found), generation)
        return EntryResponse(entry)

    def _report(self) -> None:
        self.count_hit(self.hits - self._reported)
        self._reported = self.hits

    async def _fetch(
        self,
        key: bytes,
        tags: tuple[str, ...],
        build: Callable[[], Awaitable[Entry]],
        shared: bool,
    ) -> Entry:
        if not shared or self._shared is None:
            return await build()
        found = await self._shared.get(key.decode("latin-1"), tags)
        if found is None:
            self._shared_error()
            return await build()
        versioned_key, data = found
        if data is not None:
            try:
                entry = Entry.loads(data)
            except ValueError:  # somebody else's bytes: as good as nothing, and replaced below
                self._shared_error()
            else:
                self._shared_hit()
                return entry
        else:
            self._shared_miss()
        entry = await build()
        if entry.max_age == math.inf:
            await self._shared.set(versioned_key, entry.dumps(), SHARED_TTL)
        return entry


def cache_key(scope: Scope) -> bytes:
    """Path and query as sent: two spellings of one query are two entries."""
    path: bytes = scope["raw_path"]
    query: bytes = scope["query_string"]
    return path + b"?" + query if query else path
