"""Gateway: what users get at the edge, who is being limited, and which service causes it."""

from __future__ import annotations

from titanium.dashboards.boards import common
from titanium.dashboards.boards.board import Board, Row
from titanium.dashboards.boards.panels import (
    CODE_COLORS,
    Column,
    Look,
    Panel,
    Query,
    above,
    stat,
    table,
    timeseries,
)

_G = 'service="gateway"'
_FROM = 'source="gateway"'
_ALL = f"service:http_requests_all:rate1m{{{_G}}}"
_LIMITED = "sum(gateway:rate_limited:rate1m)"


def _now() -> tuple[Panel, ...]:
    return (
        stat("Requests", "Requests a second at the edge.", Query(f"sum({_ALL})"), unit="reqps"),
        stat(
            "Errors",
            "Share of requests answered with 5xx.",
            Query(f"max(service:http_errors:ratio_rate1m{{{_G}}})"),
            unit="percentunit",
            steps=common.ERRORS,
        ),
        stat(
            "P95 latency",
            "95 of 100 requests are answered within this time. 0 without traffic.",
            Query(common.latency("0.95", _G)),
            unit="s",
            steps=common.LATENCY,
        ),
        stat(
            "Rate limited",
            "Requests a second that were refused with 429.",
            Query(common.or_zero(_LIMITED)),
            unit="reqps",
            steps=above(1, 20),
        ),
        stat(
            "Share limited",
            "429 of all requests. High over minutes: an attack, or limits that are too tight.",
            Query(f"{_LIMITED} / (sum({_ALL}) > 0) or on () vector(0)"),
            unit="percentunit",
            steps=above(0.05, 0.25),
        ),
        stat(
            "Open connections",
            "Clients that are connected now.",
            Query(common.or_zero("sum(gateway:connections:sum)")),
            unit="short",
        ),
    )


def _edge() -> tuple[Panel, ...]:
    return (
        timeseries(
            "Requests by class of answer",
            "Everything that reached the edge.",
            Query(f"sum by (code_class) (service:http_requests:rate1m{{{_G}}})", "{{code_class}}"),
            unit="reqps",
            width=8,
            look=Look(stacked=True, colors=CODE_COLORS),
        ),
        timeseries(
            "Latency",
            "P50, P95 and P99 as a client next to the gateway would see them.",
            *(Query(common.latency(q, _G), name) for q, name in common.QUANTILES),
            unit="s",
            width=8,
        ),
        timeseries(
            "Rate limited",
            "Refused with 429, beside everything that was asked.",
            Query(f"sum({_ALL})", "all requests"),
            Query(common.or_zero(_LIMITED), "limited"),
            unit="reqps",
            width=8,
            look=Look(colors={"all requests": "blue", "limited": "red"}),
        ),
    )


def _behind() -> tuple[Panel, ...]:
    requests = f"service_pair:http_requests:rate1m{{{_FROM}}}"
    failed = f'service_pair:http_requests:rate1m{{{_FROM},code_class="5xx"}}'
    return (
        timeseries(
            "Requests by service",
            "Where the gateway sends them.",
            Query(f"sum by (destination) ({requests})", "{{destination}}"),
            unit="reqps",
            width=8,
            look=Look(stacked=True),
        ),
        timeseries(
            "Errors by service",
            "Which service answers 5xx.",
            Query(
                f"sum by (destination) ({failed}) or sum by (destination) ({requests} * 0)",
                "{{destination}}",
            ),
            unit="reqps",
            width=8,
            look=Look(steps=above(0.1, 1)),
        ),
        timeseries(
            "P95 latency by service",
            "Which service is slow.",
            Query(common.pair_latency("0.95", _FROM), "{{destination}}"),
            unit="s",
            width=8,
            look=Look(steps=common.LATENCY),
        ),
    )


def _routes() -> Panel:
    by = "service, http_route, http_request_method"
    every = f"sum by ({by}) (route:http_requests:rate1m)"
    return table(
        "Routes",
        "Every route of every service, as the applications count them. Refusals of the gateway "
        "itself (429, unknown paths) never reach an application and are not here.",
        Column(every, "Requests", "reqps"),
        Column(
            f'sum by ({by}) (route:http_requests:rate1m{{code_class="4xx"}}) or {every} * 0',
            "4xx",
            "reqps",
        ),
        Column(
            f'sum by ({by}) (route:http_requests:rate1m{{code_class="5xx"}}) or {every} * 0',
            "5xx",
            "reqps",
            above(0.001, 0.1),
        ),
        Column(
            f"max by ({by}) (route:http_request_duration_seconds:p95_rate1m) or {every} * 0",
            "P95",
            "s",
            common.LATENCY,
        ),
        labels={"service": "Service", "http_route": "Route", "http_request_method": "Method"},
        links={"service": "/d/titanium-service?var-service=${__value.raw}"},
    )


def _load() -> tuple[Panel, ...]:
    return (
        timeseries(
            "Open connections",
            "A flood of idle connections shows here first.",
            Query(common.or_zero("sum(gateway:connections:sum)"), "connections"),
            unit="short",
            width=8,
        ),
        timeseries(
            "CPU",
            "Cores that the gateway uses.",
            Query(f"service:cpu_cores:rate1m{{{_G}}}", "cores"),
            unit="short",
            width=8,
        ),
        timeseries(
            "Memory",
            "Resident memory of the gateway.",
            Query(f"service:memory_bytes:sum{{{_G}}}", "resident"),
            unit="bytes",
            width=8,
        ),
    )


def board() -> Board:
    """Uid titanium-gateway."""
    return Board(
        "titanium-gateway",
        "Titanium / Gateway and rate limits",
        "The edge: answers, latency, limited clients, and the services behind it.",
        common.variables(),
        (
            Row("Now", _now(), height=4),
            Row("At the edge", _edge()),
            Row("Behind the edge", _behind()),
            Row("Routes", (_routes(),), height=10),
            Row("Load", _load(), height=7),
        ),
    )
