"""Prometheus metrics under OpenTelemetry's HTTP names.

`http_server_request_duration_seconds{service,http_route,http_request_method,
http_response_status_code}`, with the bucket bounds of OpenTelemetry's semantic conventions.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from titanium_kit.logs import lines_by_level

# https://opentelemetry.io/docs/specs/semconv/http/http-metrics/
HTTP_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
UNMATCHED = "(unmatched)"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class _Series:
    """One label set of the histogram: requests per bucket, and their seconds together."""

    __slots__ = ("counts", "seconds")

    def __init__(self) -> None:
        self.counts = [0] * (len(HTTP_BUCKETS) + 1)
        self.seconds = 0.0


class _Durations(Collector):
    """The HTTP histogram.

    All of a service's requests are counted on its one event loop, so there is no lock, which
    makes this several times cheaper than prometheus_client's own histogram on the hot path.
    """

    def __init__(self, service: str) -> None:
        self._service = service
        self.series: dict[tuple[str, str, int], _Series] = {}

    def collect(self) -> Iterator[Metric]:
        family = HistogramMetricFamily(
            "http_server_request_duration_seconds",
            "Time to answer a request, in seconds.",
            labels=("service", "http_route", "http_request_method", "http_response_status_code"),
        )
        bounds = [*(str(float(bound)) for bound in HTTP_BUCKETS), "+Inf"]
        for (route, method, status), series in self.series.items():
            total = 0
            buckets = []
            for bound, count in zip(bounds, series.counts, strict=True):
                total += count
                buckets.append((bound, total))
            labels = (self._service, route, method, str(status))
            family.add_metric(labels, buckets, sum_value=series.seconds)
        yield family


class _LogLines(Collector):
    """Lines that this process has logged."""

    def __init__(self, service: str) -> None:
        self._service = service

    def collect(self) -> Iterator[Metric]:
        family = CounterMetricFamily(
            "titanium_log_lines", "Log lines by level.", labels=("service", "level")
        )
        for level, lines in lines_by_level.items():
            family.add_metric((self._service, level), lines)
        yield family


class Metrics:
    """The registry of one process."""

    def __init__(self, service: str) -> None:
        self.registry = CollectorRegistry()
        self._service = service
        self._durations = _Durations(service)
        self._before: list[Callable[[], None]] = []
        self.registry.register(self._durations)
        self.cache_lookups = Counter(
            "titanium_cache_lookups_total",
            "Cache look-ups by layer (process, redis) and result (hit, miss, error).",
            ("service", "layer", "result"),
            registry=self.registry,
        )
        self.pool_connections = Gauge(
            "titanium_database_pool_connections",
            "Connections of the database pool by state (used, idle, free: not opened yet).",
            ("service", "state"),
            registry=self.registry,
        )
        self.spans = Counter(
            "titanium_spans_total",
            "Application spans by what became of them (exported, failed, dropped).",
            ("service", "result"),
            registry=self.registry,
        )
        self.registry.register(_LogLines(service))
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    def observe(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answered request; unknown methods share one label value."""
        series = self._durations.series.get((route, method, status))
        if series is None:
            key = route, method if method in METHODS else "_OTHER", status
            series = self._durations.series.setdefault(key, _Series())
        series.counts[bisect_left(HTTP_BUCKETS, seconds)] += 1
        series.seconds += seconds

    def cache_counter(self, layer: str, result: str) -> Counter:
        """A bound counter of cache look-ups."""
        return self.cache_lookups.labels(self._service, layer, result)

    def pool_gauge(self, state: str) -> Gauge:
        """A bound gauge of pool connections."""
        return self.pool_connections.labels(self._service, state)

    def count_spans(self, result: str, spans: int) -> None:
        """Count what became of application spans; called from any thread."""
        self.spans.labels(self._service, result).inc(spans)

    def before_exposition(self, update: Callable[[], None]) -> None:
        """Call `update` before each scrape: for figures that are too hot to be counters."""
        self._before.append(update)

    def exposition(self) -> bytes:
        """The text that Prometheus scrapes."""
        for update in self._before:
            update()
        return generate_latest(self.registry)
