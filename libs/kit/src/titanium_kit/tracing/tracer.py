"""Begins and ends the span of each request that is traced."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from titanium_kit.context import RequestContext, is_sampled
from titanium_kit.metrics import METHODS, UNMATCHED, Metrics
from titanium_kit.settings import ServiceSettings
from titanium_kit.tracing.export import Exporter
from titanium_kit.tracing.span import Span

SHUTDOWN_SECONDS = 1.0


class Tracer:
    """Makes the server spans of one service and sends all its spans; a `Resource`.

    Use `from_settings`; there is none without an endpoint.
    """

    name = "traces"
    required = False

    def __init__(self, settings: ServiceSettings, metrics: Metrics) -> None:
        self._exporter = Exporter(
            settings.otel_exporter_otlp_endpoint,
            service=settings.service,
            instance=settings.instance,
            count=metrics.count_spans,
        )

    @classmethod
    def from_settings(cls, settings: ServiceSettings, metrics: Metrics) -> Tracer | None:
        """The tracer, or None when nobody is there to send spans to."""
        return cls(settings, metrics) if settings.otel_exporter_otlp_endpoint else None

    async def start(self) -> None:
        """Nothing: the first traced request loads what it takes, in a thread of its own."""

    async def stop(self) -> None:
        """Send what is left, for at most a second."""
        await asyncio.to_thread(self._exporter.close, SHUTDOWN_SECONDS)

    async def check(self) -> None:
        """Nothing to ask: the service works without."""

    def begin(self, context: RequestContext, method: str, path: str) -> Span:
        """The server span of a request whose `context` is sampled."""
        attributes = {
            "http.request.method": method if method in METHODS else "_OTHER",
            "url.path": path,
            "url.scheme": "http",
            "titanium.request_id": context.request_id,
        }
        return Span(method, "server", context.traceparent, attributes, self._exporter.add)

    def end(self, span: Span, route: str, status: int) -> None:
        """Name the span after `route` (a path template), and end it."""
        span.answered(status, error_from=500)
        if route != UNMATCHED:
            span.attributes["http.route"] = route
        method = span.attributes["http.request.method"]
        method = "HTTP" if method == "_OTHER" else method
        span.name = f"{method} {route}" if route != UNMATCHED else str(method)
        span.finish()

    def cached(self, headers: Sequence[tuple[bytes, bytes]], path: str) -> Span | None:
        """The server span of a GET that is answered from the process's cache; None if untraced.

        `headers` in ASGI form.
        """
        for name, value in headers:
            if name == b"traceparent":
                return self._cached(dict(headers), path) if is_sampled(value) else None
        return None

    def _cached(self, headers: Mapping[bytes, bytes], path: str) -> Span | None:
        names = (b"x-request-id", b"traceparent", b"tracestate")
        context = RequestContext.of(*(headers.get(name, b"").decode("latin-1") for name in names))
        if not context.sampled:
            return None
        span = self.begin(context, "GET", path)
        span.attributes["titanium.cache"] = "hit"
        return span
