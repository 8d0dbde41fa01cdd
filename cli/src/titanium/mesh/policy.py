"""`mesh/policy.toml`: time-outs, retries, breakers, limits, the edge's bounds and tracing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from titanium import declared
from titanium.catalog import Catalog, Name
from titanium.declared import Declared
from titanium.errors import ConfigurationError

POLICY_FILE = Path("mesh") / "policy.toml"

Seconds = Annotated[int, Field(ge=1, le=3600)]
Milliseconds = Annotated[int, Field(ge=1, le=60_000)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Percent = Annotated[int, Field(ge=0, le=100)]

SMALLEST_FILL_MS = 50  # Envoy refuses to fill a bucket more often


class Timeouts(Declared):
    """How long proxies wait; a call between services is shorter than a public request."""

    connect_ms: Milliseconds
    request_seconds: Seconds
    call_seconds: Seconds
    idle_seconds: Annotated[int, Field(ge=1, le=60)]

    @model_validator(mode="after")
    def _calls_end_first(self) -> Timeouts:
        if self.call_seconds >= self.request_seconds:
            raise ValueError("call_seconds must be below request_seconds")
        return self


class Retries(Declared):
    """Automatic retries; `budget_percent` is in relation to the requests received."""

    attempts: Annotated[int, Field(ge=0, le=5)]
    budget_percent: Annotated[int, Field(ge=0, le=50)]
    minimum_concurrency: Annotated[int, Field(ge=0, le=100)]
    backoff_ms: Milliseconds

    @property
    def share_of_active(self) -> float:
        """The budget as Envoy counts it: retries in per cent of all active requests.

        Envoy's total includes the retries themselves: 20 % more requests than received are
        16.7 % of the requests sent.
        """
        return 100.0 * self.budget_percent / (100 + self.budget_percent)


class Breakers(Declared):
    """Most requests at once; what comes on top is answered 503 immediately."""

    app_connections: Count
    app_pending: Count
    requests: Count


class Outlier(Declared):
    """When an instance is left out, and for how long."""

    consecutive_5xx: Annotated[int, Field(ge=1, le=1000)]
    ejection_seconds: Seconds
    interval_ms: Milliseconds
    max_ejection_percent: Percent


class Limit(Declared):
    """One class of token buckets: `requests` per `per_seconds`, at most `burst` at once."""

    requests: Count
    per_seconds: Seconds
    burst: Count

    @property
    def fill(self) -> tuple[int, int]:
        """Tokens per fill and milliseconds between fills, as even as Envoy permits."""
        tokens = 1
        while tokens * self.per_seconds * 1000 < SMALLEST_FILL_MS * self.requests:
            tokens += 1
        return tokens, tokens * self.per_seconds * 1000 // self.requests

    @property
    def retry_after_seconds(self) -> int:
        """Time until one more request is surely allowed, rounded up."""
        return max(1, -(-self.per_seconds // self.requests))


class EdgeBounds(Declared):
    """What the gateway accepts from outside."""

    max_body_bytes: Annotated[int, Field(ge=1024, le=1 << 30)]
    max_headers_kib: Annotated[int, Field(ge=4, le=96)]
    header_timeout_seconds: Annotated[int, Field(ge=1, le=9)]
    request_timeout_seconds: Seconds
    stream_idle_timeout_seconds: Seconds
    idle_timeout_seconds: Seconds
    max_connections: Count
    max_heap_bytes: Annotated[int, Field(ge=64 << 20, le=64 << 30)]
    clients_tracked: Annotated[int, Field(ge=100, le=10_000_000)]
    xff_num_trusted_hops: Annotated[int, Field(ge=0, le=10)]
    limit_unknown: Name


class Tracing(Declared):
    """Of how many requests that nobody asks about a trace is kept."""

    sampling_percent: Annotated[float, Field(ge=0, le=100)]


class Policy(Declared):
    """The whole file."""

    timeouts: Timeouts
    retries: Retries
    breakers: Breakers
    outlier: Outlier
    limits: Annotated[dict[Name, Limit], Field(min_length=1)]
    edge: EdgeBounds
    tracing: Tracing

    @model_validator(mode="after")
    def _fits_together(self) -> Policy:
        if self.edge.limit_unknown not in self.limits:
            raise ValueError(f"edge.limit_unknown: no [limits.{self.edge.limit_unknown}]")
        if self.timeouts.idle_seconds >= self.edge.idle_timeout_seconds:
            raise ValueError("timeouts.idle_seconds must be below edge.idle_timeout_seconds")
        return self

    def unlimited(self) -> Policy:
        """The same policy, but no client ever runs out of requests: for benchmarks and tests."""
        plenty = Limit(requests=1_000_000, per_seconds=1, burst=1_000_000)
        return self.model_copy(update={"limits": dict.fromkeys(self.limits, plenty)})

    def check(self, catalog: Catalog) -> None:
        """Raise ConfigurationError when a route names a class of limits that does not exist."""
        for service in catalog:
            for number, route in enumerate(service.routes):
                if route.limit not in self.limits:
                    raise ConfigurationError(
                        f'{service.file}: routes[{number}].limit: "{route.limit}" is not a class '
                        f"of {POLICY_FILE}",
                        f"use one of: {', '.join(self.limits)}; or add [limits.{route.limit}]",
                    )


def load_policy(root: Path) -> Policy:
    """Read `root/mesh/policy.toml`; raises ConfigurationError naming file and key."""
    return declared.read(root / POLICY_FILE, Policy)
