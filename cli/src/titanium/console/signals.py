"""The recorded series that the console shows, and how one is picked from an answer."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from titanium.console.prometheus import Prometheus, Sample, Series

REQUESTS = "service:http_requests_all:rate1m"
ERRORS = "service:http_errors:ratio_rate1m"
LATENCY = "service:http_request_duration_seconds:quantile_rate1m"
CPU = "service:cpu:saturation_ratio"
MEMORY = "service:memory:saturation_ratio"
POOL = "service:database_pool:saturation_ratio"
OBJECTIVE = "service:slo_objective:ratio"
BUDGET = "service:error_budget:remaining_ratio"
PAIR_REQUESTS = "service_pair:http_requests:rate1m"
PAIR_LATENCY = "service_pair:http_request_duration_seconds:quantile_rate1m"
PAIR_MTLS = "service_pair:mtls:ratio"
ROUTE_REQUESTS = "route:http_requests:rate1m"
ROUTE_LATENCY = "route:http_request_duration_seconds:p95_rate1m"

INSTANT = (
    REQUESTS,
    ERRORS,
    LATENCY,
    CPU,
    MEMORY,
    POOL,
    OBJECTIVE,
    BUDGET,
    PAIR_REQUESTS,
    PAIR_LATENCY,
    PAIR_MTLS,
    ROUTE_REQUESTS,
    ROUTE_LATENCY,
)
RANGED = (REQUESTS, ERRORS, LATENCY, CPU, MEMORY)
# Seconds: the window of the charts, and the distance of its points (the scrape interval).
WINDOW = 900
STEP = 5

Metrics = Mapping[str, list[Sample]]


@dataclass(frozen=True)
class Ranges:
    """The last `WINDOW` seconds before `end` of the series named in `RANGED`."""

    end: float = 0.0
    series: Mapping[str, list[Series]] = field(default_factory=dict)

    def points(self, name: str, **labels: str) -> list[tuple[float, float]]:
        """Points of the first series with these labels; empty when there is none."""
        for series in self.series.get(name, ()):
            if _has(series.labels, labels):
                return series.points
        return []


async def read_instant(prometheus: Prometheus) -> dict[str, list[Sample]]:
    """Every series of `INSTANT` by name; one question for all of them."""
    return by_name(await prometheus.query(_any_of(INSTANT)))


async def read_ranges(prometheus: Prometheus) -> Ranges:
    """The last `WINDOW` seconds of every series of `RANGED`."""
    end = time.time() // STEP * STEP
    found: dict[str, list[Series]] = {}
    for series in await prometheus.query_range(_any_of(RANGED), end - WINDOW, end, STEP):
        found.setdefault(series.labels.get("__name__", ""), []).append(series)
    return Ranges(end, found)


def by_name(samples: Iterable[Sample]) -> dict[str, list[Sample]]:
    found: dict[str, list[Sample]] = {}
    for sample in samples:
        found.setdefault(sample.labels.get("__name__", ""), []).append(sample)
    return found


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    """Value of the first sample with these labels; None when there is none or it is not a number.

    >>> value({"up": [Sample({"job": "app"}, 1.0)]}, "up", job="app")
    1.0
    """
    for sample in metrics.get(name, ()):
        if _has(sample.labels, labels):
            return sample.value if sample.value == sample.value else None
    return None


def total(metrics: Metrics, name: str, **labels: str) -> float:
    """Sum of the numbers among the samples with these labels."""
    return sum(
        sample.value
        for sample in metrics.get(name, ())
        if _has(sample.labels, labels) and sample.value == sample.value
    )


def _has(labels: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    return all(labels.get(key) == text for key, text in wanted.items())


def _any_of(names: Iterable[str]) -> str:
    return '{__name__=~"' + "|".join(names) + '"}'
