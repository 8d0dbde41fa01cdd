"""`/traces`: the newest traces; `/traces/{id}`: one request across gateway and services."""

from __future__ import annotations

import asyncio
import re
import time

from fastapi import Request
from nicegui import ui

from titanium.console.backend import Backend
from titanium.console.shell import frame
from titanium.console.spans import breakdown, log_links, span_facts, trace_table, waterfall_html
from titanium.console.widgets import Live, clock, duration, esc, link, notice, panel
from titanium.errors import TitaniumError
from titanium.traces import Trace, waterfall
from titanium.traces.ask import trace_request

REFRESH = 0.5
SHOWN = 100
# Proxies send their spans within a second; a slow machine may take a few.
EXPECTED = 15.0
_ID = re.compile(r"[0-9a-f]{32}")


def register(backend: Backend) -> None:
    @ui.page("/traces")
    def traces(request: Request) -> None:
        with frame(backend, "Traces"):
            _List(backend, dict(request.query_params))

    @ui.page("/traces/{trace_id}")
    def trace(trace_id: str) -> None:
        with frame(backend, "Traces"):
            if _ID.fullmatch(trace_id):
                _Detail(backend, trace_id)
            else:
                Live(notice("This is no trace id", "It has 32 hexadecimal digits.", "warn"))


class _List:
    def __init__(self, backend: Backend, wanted: dict[str, str]) -> None:
        self._backend = backend
        self._service = wanted.get("service", "")[:200]
        self._min_ms = _number(wanted.get("min_ms"))
        self._errors = wanted.get("errors", "") in ("1", "true")
        self._seen: object = None
        with ui.element("div").classes("filters"):
            self._path = ui.input("Path", value="/api/posts?limit=5").props("outlined dense")
            self._button = ui.button("Trace a request", on_click=self._trace).props(
                "unelevated no-caps"
            )
            names = sorted({*backend.catalog.names, "gateway", *backend.traces.services()})
            names += [self._service] if self._service and self._service not in names else []
            ui.select(
                {"": "All services", **{name: name for name in names}},
                value=self._service,
                label="Service",
                on_change=lambda event: self._change("service", str(event.value or "")),
            ).props("outlined dense options-dense")
            ui.number(
                "At least, ms",
                value=self._min_ms or None,
                min=0,
                on_change=lambda event: self._change("min_ms", event.value),
            ).props("outlined dense debounce=300")
            ui.checkbox(
                "Failed only",
                value=self._errors,
                on_change=lambda event: self._change("errors", bool(event.value)),
            )
        with panel("Newest traces", "one request in a hundred, and those that asked"):
            self._table = Live()
        self._refresh()
        ui.timer(REFRESH, self._refresh)

    def _change(self, name: str, value: object) -> None:
        if name == "service":
            self._service = str(value)
        elif name == "min_ms":
            self._min_ms = _number(value)
        else:
            self._errors = bool(value)
        self._refresh()

    def _refresh(self) -> None:
        store = self._backend.traces
        # Ages are written, so the table changes every few seconds even when nothing comes.
        state = (store.version, self._service, self._min_ms, self._errors, time.time() // 2)
        if state != self._seen:
            self._seen = state
            found = store.list(self._service or None, self._min_ms, self._errors, SHOWN)
            self._table.show(trace_table(found, time.time()))

    async def _trace(self) -> None:
        path = str(self._path.value or "")
        self._button.disable()
        try:
            asked = await asyncio.to_thread(trace_request, self._backend.ports.http, path)
        except TitaniumError as error:
            ui.notify(f"{error.message}. {error.hint}", type="negative")
        else:
            ui.navigate.to(f"/traces/{asked.trace_id}")
        finally:
            self._button.enable()


class _Detail:
    def __init__(self, backend: Backend, trace_id: str) -> None:
        self._backend = backend
        self._trace_id = trace_id
        self._trace: Trace | None = None
        self._chosen = ""
        self._since = time.monotonic()
        self._seen: object = None
        self._head = Live()
        with ui.element("div").classes("grid"):
            with panel("Where the time went"):
                self._breakdown = Live()
            with panel("Waterfall", "a click on a span shows what it says", "two-thirds"):
                self._picture = Live(on_action=self._act)
            with panel("Span", "", "third"):
                self._facts = Live()
        self._refresh()
        ui.timer(REFRESH, self._refresh)

    def _refresh(self) -> None:
        version = self._backend.traces.version
        waiting = time.monotonic() - self._since < EXPECTED
        if self._seen == (version, waiting):
            return
        self._seen = (version, waiting)
        # One that is evicted meanwhile stays on the page.
        self._trace = self._backend.traces.get(self._trace_id) or self._trace
        self._show(waiting)

    def _show(self, waiting: bool = False) -> None:
        if self._trace is None:
            self._head.show(_missing(self._trace_id, waiting))
            return
        rows = waterfall(self._trace)
        if not self._chosen:
            # What most people look for: the first failure, else the whole request.
            first = next((row for row in rows if row.error), rows[0])
            self._facts.show(span_facts(first.span, first))
        self._head.show(_head(self._trace))
        self._breakdown.show(breakdown(rows))
        self._picture.show(waterfall_html(self._trace, rows, self._chosen))
        chosen = next((row for row in rows if row.span.span_id == self._chosen), None)
        if chosen is not None:
            self._facts.show(span_facts(chosen.span, chosen))

    def _act(self, action: str, value: str) -> None:
        if action == "span":
            self._chosen = value
            self._show()


def _number(value: object) -> float:
    try:
        number = float(str(value))
    except ValueError:
        return 0.0
    return number if 0 <= number < 1e9 else 0.0


def _head(trace: Trace) -> str:
    root = trace.root
    failed = sum(span.failed for span in trace.spans)
    words = (
        f"{clock(trace.start_ns / 1e9)} · {duration((trace.end_ns - trace.start_ns) / 1e9)} · "
        f"{len(trace.spans)} spans" + (f" · {failed} failed" if failed else "")
    )
    return (
        f'<div class="headline {"bad" if failed else "good"}"><h1>{esc(root.name)}</h1>'
        f'<p>{esc(words)} · <span class="mono">{esc(trace.trace_id)}</span> · {log_links(trace)}'
        f" · {link('/traces', 'All traces')}</p></div>"
    )


def _missing(trace_id: str, waiting: bool) -> str:
    if waiting:
        return notice("Waiting for the spans of this trace", trace_id)
    hint = "It was not traced, or too long ago: the newest 500 traces are kept in memory."
    return notice(f"Trace {trace_id} is not here", hint, "warn") + (
        f'<p class="quiet">{link(f"/logs?trace_id={trace_id}", "Logs of this trace")} · '
        f"{link('/traces', 'All traces')}</p>"
    )
