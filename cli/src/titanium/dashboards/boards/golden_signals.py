"""Golden signals: is the platform healthy, and if not, which service."""

from __future__ import annotations

from titanium.dashboards.boards import common
from titanium.dashboards.boards.board import Board, Row
from titanium.dashboards.boards.panels import (
    CODE_COLORS,
    Column,
    Look,
    Panel,
    Query,
    stat,
    table,
    timeseries,
)

_S = common.SELECTED
_POOL = f"service:database_pool:saturation_ratio{{{_S}}}"
_SERVING = "and on (service) service:http_requests_all:rate1m"


def _now() -> tuple[Panel, ...]:
    return (
        stat(
            "Firing alerts",
            "Alerts of severity critical or warning that fire now. Above 0: open the alert's "
            "runbook first, then this dashboard.",
            Query(
                'count(ALERTS{alertstate="firing",severity=~"critical|warning"}) or on () vector(0)'
            ),
            unit="short",
            steps=common.NONE_IS_GOOD,
        ),
        stat(
            "Instances up",
            "Instances that answer, of all that should run. Below 100 %: something is down.",
            Query("sum(service:instances_up:sum) / sum(service:instances:count)"),
            unit="percentunit",
            steps=common.ALL_OF_THEM,
        ),
        stat(
            "Requests",
            "Requests a second at the edge: what users ask for. A sudden 0 is an outage too.",
            Query('sum(service:http_requests_all:rate1m{service="gateway"})'),
            unit="reqps",
        ),
        stat(
            "Errors",
            "Share of requests at the edge that were answered with 5xx.",
            Query('max(service:http_errors:ratio_rate1m{service="gateway"})'),
            unit="percentunit",
            steps=common.ERRORS,
        ),
        stat(
            "P95 latency",
            "95 of 100 requests at the edge are answered within this time.",
            Query(common.latency("0.95", 'service="gateway"')),
            unit="s",
            steps=common.LATENCY,
        ),
        stat(
            "Lowest error budget",
            "What is left of the tightest error budget of the last 30 days. Below 0 the "
            "objective is missed.",
            Query("clamp_min(min(service:error_budget:remaining_ratio), -1)"),
            unit="percentunit",
            steps=common.BUDGET,
        ),
    )


def _services() -> Panel:
    errors = common.ERRORS
    return table(
        "Services",
        "Each service in one line. The service's name leads to its own dashboard.",
        Column(f"sum by (service) (service:http_requests_all:rate1m{{{_S}}})", "Requests", "reqps"),
        Column(
            f"max by (service) (service:http_errors:ratio_rate1m{{{_S}}})",
            "Errors",
            "percentunit",
            errors,
        ),
        *(
            Column(
                common.latency(quantile, _S),
                title,
                "s",
                common.LATENCY,
            )
            for quantile, title in common.QUANTILES
        ),
        Column(
            f"max by (service) (service:cpu:saturation_ratio{{{_S}}}) {_SERVING}",
            "CPU",
            "percentunit",
            common.SATURATION,
        ),
        Column(
            f"sum by (service) (service:memory_bytes:sum{{{_S}}}) {_SERVING}", "Memory", "bytes"
        ),
        Column(
            f"sum by (service) (service:instances_up:sum{{{_S}}}) {_SERVING}",
            "Instances up",
            "short",
        ),
        labels={"service": "Service"},
        links={"service": "/d/titanium-service?var-service=${__value.raw}"},
    )


def _latency(quantile: str, title: str, description: str) -> Panel:
    return timeseries(
        title,
        description,
        Query(common.latency(quantile, _S), "{{service}}"),
        unit="s",
        width=8,
        look=Look(steps=common.LATENCY if quantile == "0.95" else ()),
    )


def board() -> Board:
    """Uid titanium-golden-signals."""
    return Board(
        "titanium-golden-signals",
        "Titanium / Golden signals",
        "Latency, traffic, errors and saturation of every service: where to look first.",
        common.variables(common.MANY_SERVICES),
        (
            Row("Now", _now(), height=4),
            Row("Services", (_services(),), height=7),
            Row("Traffic", _traffic()),
            Row("Errors", _errors()),
            Row(
                "Latency",
                (
                    _latency("0.5", "P50 by service", "Half of the requests are faster."),
                    _latency("0.95", "P95 by service", "What objectives are about."),
                    _latency("0.99", "P99 by service", "The slowest of a hundred requests."),
                ),
            ),
            Row("Saturation", _saturation()),
        ),
    )


def _traffic() -> tuple[Panel, ...]:
    return (
        timeseries(
            "Requests by service",
            "Requests a second that each service answers, whoever asks.",
            Query(f"service:http_requests_all:rate1m{{{_S}}}", "{{service}}"),
            unit="reqps",
        ),
        timeseries(
            "Requests by class of answer",
            "All selected services together. Green should fill the picture.",
            Query(f"sum by (code_class) (service:http_requests:rate1m{{{_S}}})", "{{code_class}}"),
            unit="reqps",
            look=Look(stacked=True, colors=CODE_COLORS),
        ),
    )


def _errors() -> tuple[Panel, ...]:
    return (
        timeseries(
            "Share of 5xx by service",
            "Errors that are our fault, of all requests. The red line is 1 %.",
            Query(f"service:http_errors:ratio_rate1m{{{_S}}}", "{{service}}"),
            unit="percentunit",
            look=Look(steps=common.ERRORS),
        ),
        timeseries(
            "Refused requests (4xx) by service",
            "Requests that the service refused: a jump is a broken client, a wrong deployment, "
            "or an attack.",
            Query(
                f'sum by (service) (service:http_requests:rate1m{{code_class="4xx",{_S}}})'
                f" or sum by (service) (service:http_requests_all:rate1m{{{_S}}} * 0)",
                "{{service}}",
            ),
            unit="reqps",
        ),
    )


def _saturation() -> tuple[Panel, ...]:
    return (
        timeseries(
            "CPU",
            "Processor time used, of what the service may use.",
            Query(f"service:cpu:saturation_ratio{{{_S}}}", "{{service}}"),
            unit="percentunit",
            width=8,
            look=Look(steps=common.SATURATION),
        ),
        timeseries(
            "Memory",
            "Resident memory, of what the service may use.",
            Query(f"service:memory:saturation_ratio{{{_S}}}", "{{service}}"),
            unit="percentunit",
            width=8,
            look=Look(steps=common.SATURATION),
        ),
        timeseries(
            "Database pool",
            "Connections in use, of the pool's size. At 100 % requests wait for a connection.",
            Query(
                common.or_zero_named(_POOL, _POOL, "service", "no database"),
                "{{service}}",
            ),
            unit="percentunit",
            width=8,
            look=Look(steps=common.SATURATION),
        ),
    )
