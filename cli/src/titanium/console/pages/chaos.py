"""`/chaos`: break something on purpose, for a bounded time, and watch what it does."""

from __future__ import annotations

from typing import Any

from nicegui import ui
from nicegui.events import ValueChangeEventArguments

from titanium.console import charts, tables
from titanium.console.actions import confirm, perform
from titanium.console.backend import Backend
from titanium.console.charts import SignalCharts
from titanium.console.injections import Injection
from titanium.console.poller import Snapshot
from titanium.console.shell import frame, live
from titanium.console.widgets import Live, clock, duration, esc, panel, table
from titanium.layout import GATEWAY
from titanium.supervise.protocol import Fault, FaultRequest, Request, describe_fault

MAX_DELAY_MS = 10_000
MAX_SECONDS = 600
# Zero is no failure.
STATUSES = {0: "no failure", 429: "429", 500: "500", 502: "502", 503: "503", 504: "504"}
SHOWN = 300.0


def register(backend: Backend) -> None:
    @ui.page("/chaos")
    def chaos() -> None:
        with frame(backend, "Chaos"):
            _Page(backend)


class _Page:
    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        first = backend.poller.snapshot
        self.concerns = Live(tables.concerns(first, tables.now()))
        with ui.element("div").classes("chaos"):
            with ui.element("div").classes("stack"):
                self._fault_form()
                self._kill_form(first)
            with ui.element("div").classes("stack"):
                with panel("Active faults"):
                    self.active = Live(active_faults(first, tables.now()), on_action=self._act)
                with ui.element("div").classes("watch"):
                    ui.select(
                        [GATEWAY, *backend.catalog.names],
                        value=GATEWAY,
                        label="Golden signals of",
                        on_change=self._choose,
                    ).props("outlined dense options-dense")
                    Live('<span class="quiet">the last 5 minutes; red lines are injections</span>')
                with ui.element("div").classes("grid"):
                    self.charts = SignalCharts(first.ranges, GATEWAY, "half", self._marked)
        with panel("What this console injected", "since it started; the newest 100"):
            self.history = Live(history(backend.injections.newest_first))
        live(backend, self.show, lambda snap: (snap.version, backend.injections.version))
        live(
            backend,
            lambda snapshot: self.charts.show(snapshot.ranges),
            lambda snap: (snap.ranges_version, backend.injections.version),
        )

    def _choose(self, event: ValueChangeEventArguments[str]) -> None:
        self.charts.choose(str(event.value), self.backend.poller.snapshot.ranges)

    def _fault_form(self) -> None:
        with panel("Slow or fail the edge of a service"), ui.element("div").classes("form"):
            names = list(self.backend.catalog.names)
            self.service = ui.select(names, value=names[0], label="Service")
            self.delay = _number("Delay, ms", 500, 0, MAX_DELAY_MS)
            self.status = ui.select(STATUSES, value=0, label="Answer with status")
            self.percent = _number("Of its requests, %", 100, 1, 100)
            self.seconds = _number("For, seconds", 60, 1, MAX_SECONDS)
            for field in (self.service, self.status):
                field.props("outlined dense options-dense")
            ui.button("Inject", on_click=self._inject).props("unelevated no-caps")

    def _kill_form(self, snapshot: Snapshot) -> None:
        with panel("Kill a process"), ui.element("div").classes("form"):
            self.process = ui.select(_killable(snapshot), label="Process").props(
                "outlined dense options-dense"
            )
            ui.button("Kill", color="negative", on_click=self._kill).props("unelevated no-caps")

    def _marked(self, options: dict[str, Any]) -> dict[str, Any]:
        marks = [(item.at, item.service) for item in self.backend.injections.newest_first]
        return charts.zoom(options, SHOWN, marks)

    async def _inject(self) -> None:
        request = FaultRequest(
            delay_ms=_within(self.delay.value, 0, MAX_DELAY_MS),
            abort_status=int(self.status.value),
            percent=_within(self.percent.value, 1, 100),
            seconds=_within(self.seconds.value, 1, MAX_SECONDS),
        )
        service = str(self.service.value)
        if not request.delay_ms and not request.abort_status:
            ui.notify("Choose a delay or a status: this would change nothing.", type="warning")
            return
        what = f"{describe_fault(as_fault(service, request))} for {duration(request.seconds)}"
        if await confirm(
            f"Inject a fault into {service}?",
            f"{what}. It ends by itself, and Stop now ends it at once.",
            "Inject",
            danger=True,
        ):
            await self._do(Request("fault", service, fault=request), service, what)

    async def _kill(self) -> None:
        name = self.process.value
        if not name:
            ui.notify("Choose a process.", type="warning")
            return
        if await confirm(
            f"Kill {name}?",
            "SIGKILL, as a crash would end it. The supervisor starts it again.",
            "Kill",
            danger=True,
        ):
            await self._do(Request("kill", str(name)), str(name), "killed")

    async def _act(self, action: str, service: str) -> None:
        if action == "stop-fault":
            ended = FaultRequest(percent=100, seconds=0)
            await self._do(Request("fault", service, fault=ended), service, "fault ended by hand")

    async def _do(self, request: Request, service: str, what: str) -> None:
        done = await perform(self.backend, request, f"{service}: {what}")
        self.backend.injections.add(Injection(service, what, "done" if done else "refused"))

    def show(self, snapshot: Snapshot) -> None:
        now = tables.now()
        self.concerns.show(tables.concerns(snapshot, now))
        self.active.show(active_faults(snapshot, now))
        self.history.show(history(self.backend.injections.newest_first))
        names = _killable(snapshot)
        if names != self.process.options:
            self.process.set_options(names)


def active_faults(snapshot: Snapshot, now: float) -> str:
    faults = snapshot.status.faults if snapshot.status else ()
    return table(
        ("Service", "What", ">Ends in", ""),
        (
            (
                tables.service_link(fault.service),
                esc(describe_fault(fault)),
                duration(max(0.0, round(fault.until - now))),
                tables.button("stop-fault", fault.service, "Stop now"),
            )
            for fault in faults
        ),
        "Nothing is being injected.",
    )


def history(items: list[Injection]) -> str:
    return table(
        ("Time", "Where", "What", "Outcome"),
        (
            (
                f'<span class="mono">{clock(item.at)}</span>',
                esc(item.service),
                esc(item.what),
                esc(item.outcome),
            )
            for item in items
        ),
        "Nothing yet.",
    )


def as_fault(service: str, request: FaultRequest) -> Fault:
    return Fault(service, request.delay_ms, request.abort_status, request.percent, 0.0)


def _killable(snapshot: Snapshot) -> list[str]:
    every = snapshot.status.processes if snapshot.status else ()
    return [item.name for item in every if item.kind not in tables.UNKILLABLE]


def _number(label: str, value: int, low: int, high: int) -> ui.number:
    return ui.number(label, value=value, min=low, max=high, precision=0, format="%d").props(
        f'outlined dense hint="{low} to {high:,}"'
    )


def _within(value: Any, low: int, high: int) -> int:
    """A number field is empty while it is edited."""
    return min(high, max(low, int(value if value is not None else low)))
