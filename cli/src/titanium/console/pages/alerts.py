"""`/alerts`: what is pending or firing, and what Alertmanager has told."""

from __future__ import annotations

from nicegui import ui

from titanium.console import tables
from titanium.console.backend import Backend
from titanium.console.notifications import Notification
from titanium.console.poller import Snapshot
from titanium.console.shell import frame, live
from titanium.console.widgets import Live, ago, badge, esc, link, panel, table


def register(backend: Backend) -> None:
    @ui.page("/alerts")
    def alerts() -> None:
        with frame(backend, "Alerts"):
            _content(backend)


def _content(backend: Backend) -> None:
    with panel("Pending and firing", "from Prometheus; a name leads to its runbook"):
        current = Live(_current(backend.poller.snapshot))
    with panel("Notifications", "delivered by Alertmanager to this console; the newest 200"):
        told = Live(notifications(backend.notifications.newest_first, tables.now()))

    def show(snapshot: Snapshot) -> None:
        current.show(_current(snapshot))
        told.show(notifications(backend.notifications.newest_first, tables.now()))

    live(backend, show, lambda snapshot: (snapshot.version, backend.notifications.version))


def _current(snapshot: Snapshot) -> str:
    if snapshot.metrics_error is not None:
        return tables.metrics_missing(snapshot)
    return tables.alerts(snapshot.alerts, tables.now())


def notifications(items: list[Notification], now: float) -> str:
    return table(
        ("Received", "Status", "Alert", "Severity", "Service", "What"),
        (
            (
                esc(ago(item.received, now)),
                badge(item.status),
                link(f"/runbooks/{item.name}", item.name),
                badge(item.severity or "info"),
                tables.service_link(item.service),
                esc(item.summary),
            )
            for item in items
        ),
        "Alertmanager has delivered nothing since this console started.",
    )
