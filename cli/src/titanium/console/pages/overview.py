"""`/`: the whole platform at one look."""

from __future__ import annotations

from nicegui import ui

from titanium.console import tables
from titanium.console.backend import Backend
from titanium.console.charts import SignalCharts
from titanium.console.poller import Snapshot
from titanium.console.shell import frame, live
from titanium.console.widgets import Live, panel
from titanium.layout import GATEWAY


def register(backend: Backend) -> None:
    @ui.page("/")
    def overview() -> None:
        with frame(backend, "Overview"):
            _content(backend)


def _content(backend: Backend) -> None:
    first, now = backend.poller.snapshot, tables.now()
    head = Live(tables.headline(first, now))
    concerns = Live(tables.concerns(first, now))
    with panel("Alerts", '<a href="/alerts">All alerts and notifications</a>'):
        alerts = Live(_alerts(first, now))
    with ui.element("div").classes("grid"):
        charts = SignalCharts(first.ranges, GATEWAY)
    with panel("Services", "rates of the last minute, charts of the last 15 minutes"):
        services = Live(tables.services(first, backend.catalog))
    with panel("Processes", "a name leads to its log"):
        processes = Live(_processes(first))

    def show(snapshot: Snapshot) -> None:
        moment = tables.now()
        head.show(tables.headline(snapshot, moment))
        concerns.show(tables.concerns(snapshot, moment))
        alerts.show(_alerts(snapshot, moment))
        services.show(tables.services(snapshot, backend.catalog))
        processes.show(_processes(snapshot))

    live(backend, show)
    live(backend, lambda snapshot: charts.show(snapshot.ranges), lambda s: s.ranges_version)


def _alerts(snapshot: Snapshot, now: float) -> str:
    if snapshot.metrics_error is not None:
        return tables.metrics_missing(snapshot)
    return tables.alerts(snapshot.alerts, now)


def _processes(snapshot: Snapshot) -> str:
    return tables.processes(snapshot, snapshot.status.processes if snapshot.status else ())
