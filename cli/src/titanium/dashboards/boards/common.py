"""What several dashboards share: variables, thresholds, and expressions that never end empty."""

from __future__ import annotations

from titanium.dashboards.boards.board import datasource, label_values
from titanium.dashboards.boards.panels import Json, Steps, above, below

METRICS = datasource()
LOGS = datasource("loki", "loki", "Log store")
MANY_SERVICES = label_values(
    "service", "service", "service:http_requests_all:rate1m", title="Service", many=True
)
# Services with an application: the gateway has none, its own dashboard shows it.
ONE_SERVICE = label_values(
    "service", "service", "http_server_request_duration_seconds_count", title="Service", many=False
)

ERRORS: Steps = above(0.001, 0.01)
LATENCY: Steps = above(0.25, 0.5)
SATURATION: Steps = above(0.7, 0.9)
ALL_OF_THEM: Steps = below(1, 1)
BUDGET: Steps = below(0.5, 0.1)
NONE_IS_GOOD: Steps = above(1, 3)

QUANTILES = (("0.5", "P50"), ("0.95", "P95"), ("0.99", "P99"))
SELECTED = 'service=~"$service"'


def or_zero(expr: str) -> str:
    """`expr`, or 0 where nothing has been counted yet: for expressions without labels."""
    return f"{expr} or on () vector(0)"


def or_zero_named(expr: str, selector: str, label: str, value: str) -> str:
    """`expr`, or 0 with `label` saying why there is nothing (a service without a cache).

    `selector` is what `expr` is about: only when it has no series at the end of the range does
    the 0 appear, so that it is no second line beside a series that began later.
    """
    nothing = f'label_replace(vector(0), "{label}", "{value}", "", "")'
    return f"{expr} or on () ({nothing} unless on () {selector} @ end())"


def latency(quantile: str, selector: str) -> str:
    """Seconds by service, 0 without traffic: nothing is not slow."""
    return (
        "max by (service) (service:http_request_duration_seconds:quantile_rate1m"
        f'{{quantile="{quantile}",{selector}}})'
        f" or sum by (service) (service:http_requests_all:rate1m{{{selector}}}) * 0"
    )


def pair_latency(quantile: str, selector: str = "") -> str:
    """Seconds by caller and callee, 0 without traffic."""
    by = "sum by (source, destination)"
    more = f",{selector}" if selector else ""
    return (
        "max by (source, destination) (service_pair:http_request_duration_seconds:quantile_rate1m"
        f'{{quantile="{quantile}"{more}}})'
        f" or {by} (service_pair:http_requests:rate1m{{{selector}}}) * 0"
    )


def variables(*more: Json) -> tuple[Json, ...]:
    """The metrics' data source first, as on every dashboard."""
    return (METRICS, *more)
