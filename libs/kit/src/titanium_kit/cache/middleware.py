"""The hot path: a repeated GET is answered from bytes before routing."""

from __future__ import annotations

from time import perf_counter

from starlette.types import ASGIApp, Receive, Scope, Send

from titanium_kit.cache.responses import ResponseCache, cache_key
from titanium_kit.metrics import Metrics
from titanium_kit.tracing import Tracer

END_WITHOUT_BODY = {"type": "http.response.body"}


class CacheMiddleware:
    """Outermost layer of a service that has a `ResponseCache`."""

    def __init__(
        self,
        app: ASGIApp,
        cache: ResponseCache,
        metrics: Metrics,
        tracer: Tracer | None = None,
    ) -> None:
        self.app = app
        self.cache = cache
        self.metrics = metrics
        self.tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        began = perf_counter()
        cache = self.cache
        key = cache_key(scope)
        entry = cache.local.get(key, cache.max_age)
        if entry is None and cache.variant is not None and (variant := cache.variant(scope)):
            entry = cache.local.get(key + variant, cache.max_age)
        if entry is None:
            await self.app(scope, receive, send)
            return
        cache.hits += 1
        tracer = self.tracer
        span = tracer.cached(scope["headers"], scope["path"]) if tracer else None
        if entry.unchanged_for(scope["headers"]):
            status = 304
            await send(entry.not_modified)
            await send(END_WITHOUT_BODY)
        else:
            status = 200
            await send(entry.start)
            await send(entry.end)
        self.metrics.observe(entry.route, "GET", status, perf_counter() - began)
        if span is not None and tracer is not None:
            tracer.end(span, entry.route, status)
