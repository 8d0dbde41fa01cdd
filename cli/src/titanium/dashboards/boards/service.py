"""One service in detail: what it does, how long it takes, what it needs, who calls it."""

from __future__ import annotations

from titanium.dashboards.boards import common
from titanium.dashboards.boards.board import Board, Row
from titanium.dashboards.boards.panels import (
    CODE_COLORS,
    LEVEL_COLORS,
    Column,
    Look,
    Panel,
    Query,
    above,
    stat,
    table,
    timeseries,
)

_S = 'service="$service"'
_CALLS = 'service_pair:http_requests:rate1m{source="$service"}'
_POOL = f"titanium_database_pool_connections{{{_S}}}"
_LOOKUPS = f"titanium_cache_lookups_total{{{_S}}}"
_ROUTE = "service, http_route, http_request_method"


def _now() -> tuple[Panel, ...]:
    return (
        stat(
            "Instances up",
            "Instances that answer, of those that should run.",
            Query(f"sum(service:instances_up:sum{{{_S}}}) / sum(service:instances:count{{{_S}}})"),
            unit="percentunit",
            steps=common.ALL_OF_THEM,
        ),
        stat(
            "Requests",
            "Requests a second.",
            Query(f"service:http_requests_all:rate1m{{{_S}}}"),
            unit="reqps",
        ),
        stat(
            "Errors",
            "Share of requests answered with 5xx.",
            Query(f"service:http_errors:ratio_rate1m{{{_S}}}"),
            unit="percentunit",
            steps=common.ERRORS,
        ),
        stat(
            "P95 latency",
            "95 of 100 requests are answered within this time. 0 without traffic.",
            Query(common.latency("0.95", _S)),
            unit="s",
            steps=common.LATENCY,
        ),
        stat(
            "Error budget left",
            "The lowest of the service's objectives, over 30 days.",
            Query(f"clamp_min(min(service:error_budget:remaining_ratio{{{_S}}}), -1)"),
            unit="percentunit",
            steps=common.BUDGET,
        ),
        stat(
            "Restarts in 15 minutes",
            "Restarts of its processes. More than one: read the log of the one that ends.",
            Query(f"sum(service:restarts:increase15m{{{_S}}}) or on () vector(0)"),
            unit="short",
            steps=above(1, 3),
        ),
    )


def _routes() -> tuple[Panel, ...]:
    requests = "route:http_requests:rate1m"
    return (
        table(
            "Routes",
            "Requests, refusals, errors and latency of each route, measured by the application.",
            Column(f"sum by ({_ROUTE}) ({requests}{{{_S}}})", "Requests", "reqps"),
            Column(
                f'sum by ({_ROUTE}) ({requests}{{code_class="4xx",{_S}}})'
                f" or sum by ({_ROUTE}) ({requests}{{{_S}}} * 0)",
                "4xx",
                "reqps",
            ),
            Column(
                f'sum by ({_ROUTE}) ({requests}{{code_class="5xx",{_S}}})'
                f" or sum by ({_ROUTE}) ({requests}{{{_S}}} * 0)",
                "5xx",
                "reqps",
                above(0.001, 0.1),
            ),
            Column(
                f"max by ({_ROUTE}) (route:http_request_duration_seconds:p95_rate1m{{{_S}}})"
                f" or sum by ({_ROUTE}) ({requests}{{{_S}}} * 0)",
                "P95",
                "s",
                common.LATENCY,
            ),
            labels={"service": "Service", "http_route": "Route", "http_request_method": "Method"},
        ),
    )


def _traffic() -> tuple[Panel, ...]:
    return (
        timeseries(
            "Requests by class of answer",
            "As the mesh counts them, in front of the application.",
            Query(f"sum by (code_class) (service:http_requests:rate1m{{{_S}}})", "{{code_class}}"),
            unit="reqps",
            width=8,
            look=Look(stacked=True, colors=CODE_COLORS),
        ),
        timeseries(
            "Latency",
            "P50, P95 and P99 of all requests.",
            *(Query(common.latency(q, _S), name) for q, name in common.QUANTILES),
            unit="s",
            width=8,
        ),
        timeseries(
            "Requests by instance",
            "The application's own count: replicas should share the work evenly.",
            Query(
                "sum by (instance) (rate(http_server_request_duration_seconds_count"
                f"{{{_S}}}[$__rate_interval]))",
                "{{instance}}",
            ),
            unit="reqps",
            width=8,
        ),
    )


def _neighbours() -> tuple[Panel, ...]:
    pair = "service_pair:http_requests:rate1m"
    return (
        timeseries(
            "Who calls it",
            "Requests a second by caller.",
            Query(f'sum by (source) ({pair}{{destination="$service"}})', "{{source}}"),
            unit="reqps",
            width=8,
        ),
        timeseries(
            "Whom it calls",
            "Requests a second to other services; `none` when it calls nobody.",
            Query(
                common.or_zero_named(
                    f"sum by (destination) ({_CALLS})", _CALLS, "destination", "none"
                ),
                "{{destination}}",
            ),
            unit="reqps",
            width=8,
        ),
        timeseries(
            "Latency of what it calls (P95)",
            "A slow callee makes this service slow: look here before looking at its own code.",
            Query(
                common.or_zero_named(
                    common.pair_latency("0.95", 'source="$service"'), _CALLS, "destination", "none"
                ),
                "{{destination}}",
            ),
            unit="s",
            width=8,
        ),
    )


def _needs() -> tuple[Panel, ...]:
    return (
        timeseries(
            "Database pool",
            "Connections by state, all instances together. Used at its limit: requests wait.",
            Query(
                common.or_zero_named(
                    f"sum by (state) ({_POOL})",
                    _POOL,
                    "state",
                    "no database",
                ),
                "{{state}}",
            ),
            unit="short",
            width=8,
            look=Look(stacked=True),
        ),
        timeseries(
            "Cache hits",
            "Share of look-ups that were answered by the layer.",
            Query(
                common.or_zero_named(
                    f"service:cache_hits:ratio_rate5m{{{_S}}}"
                    f" or sum by (service, layer) ({_LOOKUPS}) * 0",
                    _LOOKUPS,
                    "layer",
                    "no cache",
                ),
                "{{layer}}",
            ),
            unit="percentunit",
            width=8,
            look=Look(maximum=1),
        ),
        timeseries(
            "Log lines by level",
            "Lines a second that the service writes. Errors here have their reason in the log.",
            Query(
                f"sum by (level) (rate(titanium_log_lines_total{{{_S}}}[$__rate_interval]))",
                "{{level}}",
            ),
            unit="cps",
            width=8,
            look=Look(stacked=True, bars=True, colors=LEVEL_COLORS),
        ),
    )


def _runtime() -> tuple[Panel, ...]:
    return (
        timeseries(
            "CPU",
            "Cores in use by application and sidecar together.",
            Query(f"service:cpu_cores:rate1m{{{_S}}}", "cores"),
            unit="short",
            width=8,
        ),
        timeseries(
            "Memory",
            "Resident memory of application and sidecar together.",
            Query(f"service:memory_bytes:sum{{{_S}}}", "resident"),
            unit="bytes",
            width=8,
        ),
        timeseries(
            "Open files by instance",
            "File descriptors, sockets included. One that only grows is a leak.",
            Query(f"process_open_fds{{{_S}}}", "{{instance}}"),
            unit="short",
            width=8,
        ),
    )


def board() -> Board:
    """Uid titanium-service."""
    return Board(
        "titanium-service",
        "Titanium / Service detail",
        "One service: traffic, latency, routes, neighbours, database, cache and runtime.",
        common.variables(common.ONE_SERVICE),
        (
            Row("Now", _now(), height=4),
            Row("Traffic", _traffic()),
            Row("Routes", _routes(), height=9),
            Row("Neighbours", _neighbours()),
            Row("What it needs", _needs()),
            Row("Runtime", _runtime()),
        ),
    )
