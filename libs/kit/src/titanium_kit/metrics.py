"""Prometheus metrics under OpenTelemetry's HTTP names.

`http_server_request_duration_seconds{service,http_route,http_request_method,
http_response_status_code}`, with the bucket bounds of OpenTelemetry's semantic conventions.
"""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.exposition import generate_latest

# https://opentelemetry.io/docs/specs/semconv/http/http-metrics/
HTTP_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
UNMATCHED = "(unmatched)"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """The registry of one process, with the HTTP histogram's children cached by label set."""

    def __init__(self, service: str) -> None:
        self.registry = CollectorRegistry()
        self._service = service
        self._duration = Histogram(
            "http_server_request_duration_seconds",
            "Time to answer a request, in seconds.",
            ("service", "http_route", "http_request_method", "http_response_status_code"),
            buckets=HTTP_BUCKETS,
            registry=self.registry,
        )
        self._children: dict[tuple[str, str, int], Histogram] = {}
        self.cache_lookups = Counter(
            "titanium_cache_lookups_total",
            "Cache look-ups by layer (process, redis) and result (hit, miss, error).",
            ("service", "layer", "result"),
            registry=self.registry,
        )
        self.pool_connections = Gauge(
            "titanium_database_pool_connections",
            "Connections of the database pool by state (used, idle).",
            ("service", "state"),
            registry=self.registry,
        )
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    def observe(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answered request; unknown methods share one label value."""
        key = (route, method, status)
        child = self._children.get(key)
        if child is None:
            label = method if method in METHODS else "_OTHER"
            child = self._duration.labels(self._service, route, label, str(status))
            if label == method:
                self._children[key] = child
        child.observe(seconds)

    def cache_counter(self, layer: str, result: str) -> Counter:
        """A bound counter of cache look-ups, to keep on the hot path."""
        return self.cache_lookups.labels(self._service, layer, result)

    def pool_gauge(self, state: str) -> Gauge:
        """A bound gauge of pool connections."""
        return self.pool_connections.labels(self._service, state)

    def exposition(self) -> bytes:
        """The text that Prometheus scrapes."""
        return generate_latest(self.registry)
