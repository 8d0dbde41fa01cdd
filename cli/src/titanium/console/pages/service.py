"""`/services/{name}`: one service (or the gateway): configuration, signals, routes, errors."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode

import psutil
from nicegui import ui

from titanium.catalog import Service
from titanium.console import signals, tables
from titanium.console.backend import Backend
from titanium.console.charts import SignalCharts
from titanium.console.pages.services import actor, service_actions
from titanium.console.poller import Snapshot
from titanium.console.shell import frame, live
from titanium.console.widgets import (
    Live,
    badge,
    clock,
    duration,
    esc,
    link,
    notice,
    number,
    panel,
    percent,
    table,
)
from titanium.layout import GATEWAY
from titanium.logs import Line, Query

ERRORS = 25
ERRORS_SINCE = 3600.0
ERRORS_EVERY = 5.0
# Where what is not an application of the catalog has a dashboard of its own.
_DASHBOARDS = {GATEWAY: "gateway", "postgres": "postgresql", "redis": "redis"}
_SECRET = re.compile(r"pass|secret|token|key|credential|dsn|auth", re.IGNORECASE)
_USERINFO = re.compile(r"(?<=://)[^/@\s]+@")


def register(backend: Backend) -> None:
    @ui.page("/services/{name}")
    def service(name: str) -> None:
        with frame(backend, "Services"):
            known = name == GATEWAY or name in backend.catalog.names
            if not known and not _has_process(backend, name):
                Live(
                    notice(
                        f"There is no service called {name[:60]}.",
                        f"Services: {', '.join((GATEWAY, *backend.catalog.names))}.",
                        "warn",
                    )
                )
                return
            _content(backend, name)


def _has_process(backend: Backend, name: str) -> bool:
    status = backend.poller.snapshot.status
    return status is not None and any(tables.belongs(item, name) for item in status.processes)


def _content(backend: Backend, name: str) -> None:
    first, act = backend.poller.snapshot, actor(backend)
    declared = backend.catalog.services.get(name)
    head = Live(_head(first, name, declared), on_action=act)
    concerns = Live(tables.concerns(first, tables.now()))
    with ui.element("div").classes("grid"):
        charts = SignalCharts(first.ranges, name)
    with panel("Processes", "a name leads to its log"):
        processes = Live(_processes(first, name), on_action=act)
    with panel("Routes", "rates of the last minute"):
        routes = Live(_routes(first, name))
    more = f"/logs?{urlencode({'service': name, 'level': 'error'})}"
    with panel("Recent errors", link(more, "All in Logs")):
        errors = Live('<p class="quiet">Reading the log.</p>')
    with ui.element("div").classes("grid"):
        if declared is not None:
            with panel("Declared", f"<code>services/{esc(name)}/service.toml</code>", "half"):
                Live(_declared(declared))
        with panel("Environment", "secrets are not shown", "half"):
            environment = Live("")

    def show(snapshot: Snapshot) -> None:
        head.show(_head(snapshot, name, declared))
        concerns.show(tables.concerns(snapshot, tables.now()))
        processes.show(_processes(snapshot, name))
        routes.show(_routes(snapshot, name))
        environment.show(_environment(_pid(snapshot, name)))

    async def read_errors() -> None:
        query = Query(
            services=frozenset({name}),
            levels=frozenset({"error", "critical"}),
            since=time.time() - ERRORS_SINCE,
        )
        result = await asyncio.to_thread(backend.logs.search, query, limit=ERRORS)
        errors.show(recent_errors(result.lines))

    live(backend, show)
    live(backend, lambda snapshot: charts.show(snapshot.ranges), lambda s: s.ranges_version)
    ui.timer(ERRORS_EVERY, read_errors)


def _head(snapshot: Snapshot, name: str, declared: Service | None) -> str:
    said = esc(declared.description) if declared else ""
    buttons = service_actions(snapshot, name) if declared else ""
    dashboard = f"service?service={name}" if declared else _DASHBOARDS.get(name)
    more = link(f"/dashboards/titanium-{dashboard}", "Dashboard") if dashboard else ""
    return (
        f'<div class="title-row"><h1>{esc(name)}</h1>'
        f"{badge(tables.service_state(snapshot, name))}"
        f'<span class="quiet">{said}</span>{more}{buttons}</div>'
    )


def _processes(snapshot: Snapshot, name: str) -> str:
    every = snapshot.status.processes if snapshot.status else ()
    return tables.processes(
        snapshot, [item for item in every if tables.belongs(item, name)], actions=True
    )


def _routes(snapshot: Snapshot, name: str) -> str:
    """Rate, share of 5xx and p95 of each route that had requests lately; the busiest first."""
    found: dict[tuple[str, str], dict[str, float]] = {}
    for sample in snapshot.metrics.get(signals.ROUTE_REQUESTS, ()):
        labels = sample.labels
        if labels.get("service") == name and sample.value > 0:
            key = (labels.get("http_request_method", ""), labels.get("http_route", ""))
            classes = found.setdefault(key, {})
            code = labels.get("code_class", "")
            classes[code] = classes.get(code, 0.0) + sample.value
    ordered = sorted(found.items(), key=lambda item: -sum(item[1].values()))
    return table(
        ("Method", "Route", ">Requests/s", ">4xx", ">5xx", ">p95"),
        (
            (
                f'<span class="mono">{esc(method)}</span>',
                f'<span class="mono">{esc(route)}</span>',
                number(sum(classes.values())),
                percent(classes.get("4xx", 0.0) / sum(classes.values())),
                tables.errors(_share(classes)),
                duration(
                    signals.value(
                        snapshot.metrics,
                        signals.ROUTE_LATENCY,
                        service=name,
                        http_route=route,
                        http_request_method=method,
                    )
                ),
            )
            for (method, route), classes in ordered
        ),
        "No requests in the last minute, or no metrics of routes.",
    )


def _share(classes: Mapping[str, float]) -> float:
    return classes.get("5xx", 0.0) / sum(classes.values())


def recent_errors(lines: list[Line]) -> str:
    """The newest first, each linked to its trace."""
    return table(
        ("Time", "Process", "Level", "Event", "Trace"),
        (
            (
                f'<span class="mono">{clock(item.ts)}</span>',
                esc(item.process),
                badge(item.level),
                f'<span class="mono">{esc(item.event[:300])}</span>',
                link(f"/traces/{item.trace_id}", item.trace_id[:8]) if item.trace_id else "",
            )
            for item in reversed(lines)
        ),
        "No error in the last hour.",
    )


def _declared(service: Service) -> str:
    routes = "".join(
        f"<div><code>{esc(' '.join(route.methods))}</code> "
        f"<code>{esc(route.match.path)}{'' if route.match.exact else '/…'}</code> "
        f'<span class="quiet">{esc(route.limit)}{", token" if route.token else ""}</span></div>'
        for route in service.routes
    )
    calls = "".join(
        f"<div>{tables.service_link(call.service)} <code>{esc(call.method)} {esc(call.path)}</code>"
        "</div>"
        for call in service.calls
    )
    needs = [f"PostgreSQL database {service.needs.postgres}"] if service.needs.postgres else []
    needs += ["Redis"] if service.needs.redis else []
    return (
        '<dl class="facts">'
        f"<dt>Application</dt><dd><code>{esc(service.app)}</code></dd>"
        f"<dt>Public routes</dt><dd>{routes or '–'}</dd>"
        f"<dt>May call</dt><dd>{calls or '–'}</dd>"
        f"<dt>Needs</dt><dd>{esc(', '.join(needs)) or '–'}</dd>"
        f"<dt>SLO</dt><dd>{service.slo.availability:g} % good answers, "
        f"p95 {service.slo.latency_p95_ms} ms, over 30 days</dd></dl>"
    )


def _pid(snapshot: Snapshot, name: str) -> int | None:
    every = snapshot.status.processes if snapshot.status else ()
    mine = [item for item in every if tables.belongs(item, name) and item.kind != "sidecar"]
    return mine[0].pid if mine else None


def _environment(pid: int | None) -> str:
    if pid is None:
        return '<p class="quiet">Its process does not run.</p>'
    try:
        settings = public_settings(psutil.Process(pid).environ())
    except (psutil.Error, OSError):
        return '<p class="quiet">Its process has just ended.</p>'
    return table(
        ("Setting", "Value"),
        ((f"<code>{esc(key)}</code>", f"<code>{esc(text)}</code>") for key, text in settings),
        "None.",
    )


def public_settings(environment: Mapping[str, str]) -> list[tuple[str, str]]:
    """Settings by name without secrets; a path to a file with a secret is no secret."""
    shown = []
    for key, text in sorted(environment.items()):
        if key in ("PATH", "HOME", "TMPDIR", "TZ", "LANG", "PWD", "OLDPWD", "_"):
            continue
        is_path = Path(text).is_absolute()
        hidden = (
            _SECRET.search(key) and not is_path and not text.startswith(("http://", "https://"))
        )
        shown.append((key, "(hidden)" if hidden else _USERINFO.sub("…@", text)[:300]))
    return shown
