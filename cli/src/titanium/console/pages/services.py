"""`/services`: every service with what can be done to it, and every process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from titanium.catalog import Catalog, Service
from titanium.console import signals, tables
from titanium.console.actions import confirm, once, perform
from titanium.console.backend import Backend
from titanium.console.poller import Snapshot
from titanium.console.shell import frame, live
from titanium.console.widgets import (
    Live,
    badge,
    duration,
    esc,
    number,
    panel,
    size,
    table,
)
from titanium.layout import GATEWAY, MAX_REPLICAS
from titanium.supervise.protocol import Operation, ProcessStatus, Request


def register(backend: Backend) -> None:
    @ui.page("/services")
    def services() -> None:
        with frame(backend, "Services"):
            _content(backend)


def _content(backend: Backend) -> None:
    first, act = backend.poller.snapshot, actor(backend)
    concerns = Live(tables.concerns(first, tables.now()))
    with panel("Services", "declared by services/*/service.toml"):
        overview = Live(_services(first, backend.catalog), on_action=act)
    with panel("Processes", "a name leads to its log"):
        processes = Live(_processes(first), on_action=act)

    def show(snapshot: Snapshot) -> None:
        concerns.show(tables.concerns(snapshot, tables.now()))
        overview.show(_services(snapshot, backend.catalog))
        processes.show(_processes(snapshot))

    live(backend, show)


def actor(backend: Backend) -> Callable[[str, str], Awaitable[None]]:
    """Does what a button of `service_actions` or of the table of processes asks for."""

    async def act(action: str, name: str) -> None:
        if action == "replicas":
            await _scale(backend, name)
            return
        question = _QUESTIONS.get(action)
        if question is None:
            return
        operation, verb, text = question
        danger = action in ("stop", "kill")
        if action == "start" or await confirm(f"{verb} {name}?", text, verb, danger):
            await perform(backend, Request(operation, name), f"{verb} {name}")

    return act


_QUESTIONS: dict[str, tuple[Operation, str, str]] = {
    "start": ("start_service", "Start", ""),
    "stop": (
        "stop_service",
        "Stop",
        "Its requests are answered with 503 until it is started again. Alerts will fire.",
    ),
    "restart": (
        "restart",
        "Restart",
        "One replica after the other is replaced; requests go on meanwhile.",
    ),
    "kill": (
        "kill",
        "Kill",
        "SIGKILL, as a crash would end it. The supervisor starts it again.",
    ),
}


async def _scale(backend: Backend, name: str) -> None:
    have = len(replicas(backend.poller.snapshot, name))
    with ui.dialog() as dialog, ui.element("div").classes("dialog"):
        ui.label(f"Replicas of {name}").classes("title")
        ui.label("New ones serve once they are ready; those too many finish their requests.")
        count = ui.number("Replicas", value=max(1, have), step=1, precision=0, format="%d").props(
            f'outlined dense autofocus hint="1 to {MAX_REPLICAS}"'
        )
        with ui.element("div").classes("buttons"):
            ui.button("Cancel", on_click=lambda: dialog.submit(None)).props("flat no-caps")
            ui.button("Set", on_click=lambda: dialog.submit(count.value)).props(
                "unelevated no-caps"
            )
    chosen = await once(dialog)
    if chosen is None:
        return
    if not 1 <= chosen <= MAX_REPLICAS:
        # Nine replicas for a mistyped 19 would be a surprise.
        ui.notify(f"A service has 1 to {MAX_REPLICAS} replicas, not {chosen:g}.", type="warning")
        return
    wanted = int(chosen)
    if wanted != have:
        words = "1 replica" if wanted == 1 else f"{wanted} replicas"
        await perform(backend, Request("scale", name, wanted), f"{words} of {name}")


def replicas(snapshot: Snapshot, name: str) -> list[ProcessStatus]:
    """The application processes of a service."""
    every = snapshot.status.processes if snapshot.status else ()
    return [item for item in every if item.kind == "app" and tables.belongs(item, name)]


def service_actions(snapshot: Snapshot, name: str) -> str:
    """HTML: the buttons of one service; what makes no sense now is disabled."""
    mine = replicas(snapshot, name)
    stopped = bool(mine) and all(item.state == "stopped" for item in mine)
    gone = snapshot.status is None
    parts = [
        tables.button("start", name, "Start", disabled=gone or not stopped),
        tables.button("restart", name, "Restart", disabled=gone or stopped),
        tables.button("replicas", name, "Replicas", disabled=gone or stopped),
        tables.button("stop", name, "Stop", danger=True, disabled=gone or stopped),
    ]
    return f'<span class="actions">{"".join(parts)}</span>'


def _services(snapshot: Snapshot, catalog: Catalog) -> str:
    return table(
        ("Service", "State", ">Replicas", ">Requests/s", ">Errors", ">p95", ">Memory", "SLO", ""),
        (_row(snapshot, service) for service in catalog),
        kind="services",
    )


def _row(snapshot: Snapshot, service: Service) -> tuple[str, ...]:
    name, metrics = service.name, snapshot.metrics
    mine = replicas(snapshot, name)
    ready = sum(item.state == "ready" for item in mine)
    p95 = signals.value(metrics, signals.LATENCY, service=name, quantile="0.95")
    everything = [
        item
        for item in (snapshot.status.processes if snapshot.status else ())
        if tables.belongs(item, name)
    ]
    said = f'<span class="quiet small">{esc(service.description)}</span>'
    slo = f"{service.slo.availability:g} % · p95 {service.slo.latency_p95_ms} ms"
    return (
        f"{tables.service_link(name)}<br>{said}",
        badge(tables.service_state(snapshot, name)),
        f"{ready} of {len(mine)}",
        number(signals.value(metrics, signals.REQUESTS, service=name)),
        tables.errors(signals.value(metrics, signals.ERRORS, service=name)),
        duration(p95),
        size(sum(item.memory for item in everything)),
        f'<span class="quiet">{slo}</span>',
        service_actions(snapshot, name),
    )


def _processes(snapshot: Snapshot) -> str:
    every = snapshot.status.processes if snapshot.status else ()
    order = {GATEWAY: 0}
    return tables.processes(
        snapshot, sorted(every, key=lambda item: (order.get(item.service, 1),)), actions=True
    )
