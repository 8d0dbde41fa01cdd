"""Mesh: who calls whom, how well, and whether every connection is encrypted and identified."""

from __future__ import annotations

from titanium.dashboards.boards import common
from titanium.dashboards.boards.board import Board, Row
from titanium.dashboards.boards.panels import (
    Column,
    Look,
    Panel,
    Query,
    above,
    bargauge,
    below,
    stat,
    table,
    timeseries,
)

_REQUESTS = "service_pair:http_requests:rate1m"
_PAIR = "source, destination"
_HOUR = 3600.0
# A certificate lasts a day and is renewed long before it ends.
_EXPIRY = below(4 * _HOUR, _HOUR)


def _now() -> tuple[Panel, ...]:
    return (
        stat(
            "Mutual TLS",
            "Share of connections between services where both sides proved who they are. "
            "Anything below 100 % is a hole.",
            Query('min(service_pair:mtls:ratio{source!="users"}) or on () vector(1)'),
            unit="percentunit",
            steps=common.ALL_OF_THEM,
            width=6,
        ),
        stat(
            "Next certificate to expire",
            "Time until the first certificate ends. Renewal is automatic; under an hour it failed.",
            Query("min(mesh:certificate_expiry_seconds:min)"),
            unit="dtdurations",
            steps=_EXPIRY,
            width=6,
        ),
        stat(
            "Calls between services",
            "Requests a second inside the mesh, without those from users.",
            Query(f'sum({_REQUESTS}{{source!="users"}}) or on () vector(0)'),
            unit="reqps",
            width=6,
        ),
        stat(
            "Injected faults",
            "Services that are being slowed or failed on purpose (Chaos). Above 0: somebody is "
            "experimenting.",
            Query("sum(titanium_fault_active) or on () vector(0)"),
            unit="short",
            steps=above(1, 1),
            width=6,
        ),
    )


def _pairs() -> Panel:
    any_pair = f"sum by ({_PAIR}) ({_REQUESTS})"
    return table(
        "Calls",
        "One line for each pair of caller and callee.",
        Column(any_pair, "Requests", "reqps"),
        Column(
            f'(sum by ({_PAIR}) ({_REQUESTS}{{code_class="5xx"}}) or {any_pair} * 0)'
            f" / ({any_pair} > 0) or {any_pair} * 0",
            "Errors",
            "percentunit",
            common.ERRORS,
        ),
        *(
            Column(
                common.pair_latency(quantile),
                title,
                "s",
                common.LATENCY,
            )
            for quantile, title in common.QUANTILES
        ),
        Column(
            f"min by ({_PAIR}) (service_pair:mtls:ratio)",
            "Mutual TLS",
            "percentunit",
            common.ALL_OF_THEM,
        ),
        labels={"source": "From", "destination": "To"},
    )


def _over_time() -> tuple[Panel, ...]:
    return (
        timeseries(
            "Requests by pair",
            "Requests a second from one to the other.",
            Query(f"sum by ({_PAIR}) ({_REQUESTS})", "{{source}} to {{destination}}"),
            unit="reqps",
            width=8,
        ),
        timeseries(
            "Errors by pair",
            "Answers 5xx a second, as the caller's sidecar saw them.",
            Query(
                f'sum by ({_PAIR}) ({_REQUESTS}{{code_class="5xx"}})'
                f" or sum by ({_PAIR}) ({_REQUESTS} * 0)",
                "{{source}} to {{destination}}",
            ),
            unit="reqps",
            width=8,
        ),
        timeseries(
            "P95 latency by pair",
            "Measured at the caller's side: the way and the callee's work together.",
            Query(common.pair_latency("0.95"), "{{source}} to {{destination}}"),
            unit="s",
            width=8,
            look=Look(steps=common.LATENCY),
        ),
    )


def _identity() -> tuple[Panel, ...]:
    return (
        bargauge(
            "Certificates",
            "Time until each certificate ends; a full bar is a day or more.",
            Query("mesh:certificate_expiry_seconds:min", "{{name}}"),
            unit="dtdurations",
            steps=_EXPIRY,
            maximum=24 * _HOUR,
        ),
        timeseries(
            "Mutual TLS by pair",
            "1 when every connection is by mutual TLS. Users reach the gateway without it.",
            Query('service_pair:mtls:ratio{source!="users"}', "{{source}} to {{destination}}"),
            unit="percentunit",
            look=Look(steps=common.ALL_OF_THEM, maximum=1),
        ),
    )


def _instances() -> tuple[Panel, ...]:
    return (
        timeseries(
            "Instances up",
            "Instances that answer, by service.",
            Query("service:instances_up:sum", "{{service}}"),
            unit="short",
        ),
        timeseries(
            "Restarts in 15 minutes",
            "Of applications and sidecars, by service.",
            Query("service:restarts:increase15m", "{{service}}"),
            unit="short",
            look=Look(steps=above(1, 3)),
        ),
    )


def board() -> Board:
    """Uid titanium-mesh."""
    return Board(
        "titanium-mesh",
        "Titanium / Mesh",
        "Calls between services: rate, errors, latency, mutual TLS and certificates.",
        common.variables(),
        (
            Row("Now", _now(), height=4),
            Row("Calls", (_pairs(),), height=9),
            Row("Over time", _over_time()),
            Row("Identity", _identity()),
            Row("Instances", _instances(), height=7),
        ),
    )
