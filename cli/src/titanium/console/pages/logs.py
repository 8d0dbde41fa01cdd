"""`/logs`: every log of the run, live and searched; the address holds the filters."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import urlencode

from fastapi import Request
from nicegui import ui

from titanium.console.backend import Backend
from titanium.console.loglines import rows
from titanium.console.shell import frame
from titanium.console.widgets import Live, notice, panel, size
from titanium.logs import LEVELS, Line, Query, SearchResult, Tail, levels_from

REFRESH = 0.4
SHOWN = 300
MOST_SHOWN = 2000
# Lines of one refresh; a log that grows faster is read too fast to be read by anybody.
BATCH = 150
_BEHIND = 4 * 1024 * 1024
_LONGEST = 500
# Searches of all open pages; reading a gigabyte twice at a time is enough for this machine.
_SEARCHERS = ThreadPoolExecutor(2, thread_name_prefix="log-search")
_SPANS = {"": "Any time", "15m": "Last 15 minutes", "1h": "Last hour", "1d": "Last day"}
_SECONDS = {"15m": 900.0, "1h": 3600.0, "1d": 86_400.0}
_FIELDS = ("service", "level", "text", "request_id", "trace_id", "since")


@dataclass(frozen=True)
class Filters:
    """What the address asks for; `level` means this one and those above, `since` is one of
    _SPANS. Values that mean nothing are left out."""

    service: str = ""
    level: str = ""
    text: str = ""
    request_id: str = ""
    trace_id: str = ""
    since: str = ""

    @classmethod
    def of(cls, values: dict[str, str]) -> Filters:
        kept = {name: values.get(name, "")[:_LONGEST].strip() for name in _FIELDS}
        kept["level"] = kept["level"] if kept["level"] in LEVELS else ""
        kept["since"] = kept["since"] if kept["since"] in _SPANS else ""
        return cls(**kept)

    @property
    def address(self) -> str:
        set_ones = {name: getattr(self, name) for name in _FIELDS if getattr(self, name)}
        return f"/logs?{urlencode(set_ones)}" if set_ones else "/logs"

    def query(self, now: float) -> Query:
        return Query(
            services=frozenset((self.service,)) if self.service else frozenset(),
            levels=levels_from(self.level) if self.level else frozenset(),
            text=self.text,
            request_id=self.request_id,
            trace_id=self.trace_id.lower(),
            since=now - _SECONDS[self.since] if self.since else None,
        )


@dataclass
class Search:
    """One search in a thread: how far it is, and how to end it."""

    stop: threading.Event = field(default_factory=threading.Event)
    scanned: int = 0
    total: int = 0

    def told(self, scanned: int, total: int) -> None:
        self.scanned, self.total = scanned, total


def register(backend: Backend) -> None:
    @ui.page("/logs")
    def logs(request: Request) -> None:
        with frame(backend, "Logs"):
            page = _Page(backend, Filters.of(dict(request.query_params)))
        client = ui.context.client
        client.on_connect(page.resume)
        client.on_disconnect(page.interrupt)
        client.on_delete(page.close)


class _Page:
    """One open page: its filters, the lines it shows, the search and the tail behind them."""

    def __init__(self, backend: Backend, filters: Filters) -> None:
        self._backend = backend
        self._filters = filters
        self._search: Search | None = None
        self._tail: Tail | None = None
        self._paused = False
        self._polled: Tail | None = None
        self._closed = False
        self._interrupted = False
        self._limit = SHOWN
        self._batches: deque[tuple[Live, int]] = deque()
        self._controls()
        self._state = Live(on_action=self._act)
        with panel("", kind="logs"):
            self._fresh = ui.element("div")
            self._found = Live("", on_action=self._act)
        ui.timer(REFRESH, self._refresh)
        ui.timer(0.01, self._start, once=True)

    def close(self) -> None:
        self._closed = True
        self._stop()

    def interrupt(self) -> None:
        """Nobody looks: a search must not keep those of other pages waiting."""
        if self._search is not None:
            self._search.stop.set()
            self._interrupted = True

    async def resume(self) -> None:
        """The browser is back before the page was given up."""
        if self._interrupted:
            await self._start()

    # --- what the operator can do --------------------------------------------------------

    def _controls(self) -> None:
        names = self._backend.logs.services()
        if self._filters.service and self._filters.service not in names:
            names.append(self._filters.service)
        levels = {"": "Any level", **{one: f"{one} and above" for one in LEVELS[1:]}}
        if self._filters.level == LEVELS[0]:
            levels[LEVELS[0]] = "Any level, debug"
        with ui.element("div").classes("filters"):
            self._choice({"": "All services", **dict.fromkeys(names)}, "service", "Service")
            self._choice(levels, "level", "Level")
            self._choice(_SPANS, "since", "Since")
            self._entry("text", "Text")
            self._entry("request_id", "Request id")
            self._entry("trace_id", "Trace id")
            self._pause = ui.button("Pause", on_click=self._toggle).props("outline no-caps dense")
            ui.button("Clear", on_click=lambda: ui.navigate.to("/logs")).props("flat no-caps dense")

    def _choice(self, options: Mapping[str, str | None], name: str, label: str) -> None:
        shown = {key: text or key for key, text in options.items()}
        ui.select(
            shown,
            value=getattr(self._filters, name),
            label=label,
            on_change=lambda event: self._change(name, event.value),
        ).props("outlined dense options-dense")

    def _entry(self, name: str, label: str) -> None:
        ui.input(
            label,
            value=getattr(self._filters, name),
            on_change=lambda event: self._change(name, event.value),
        ).props(f"outlined dense clearable debounce=400 maxlength={_LONGEST}")

    async def _change(self, name: str, value: object) -> None:
        values = {key: getattr(self._filters, key) for key in _FIELDS}
        filters = Filters.of({**values, name: str(value or "")})
        if filters != self._filters:
            self._filters = filters
            self._limit = SHOWN
            ui.navigate.history.replace(filters.address)
            await self._start()

    def _toggle(self) -> None:
        self._paused = not self._paused
        self._pause.set_text("Resume" if self._paused else "Pause")
        self._show_state(None)

    async def _act(self, action: str, _value: str) -> None:
        if action == "cancel" and self._search is not None:
            self._search.stop.set()
        elif action == "older":
            self._limit = MOST_SHOWN
            await self._start()

    # --- searching -----------------------------------------------------------------------

    def _stop(self) -> None:
        if self._search is not None:
            self._search.stop.set()
            self._search = None
        tail, self._tail = self._tail, None
        # A poll in a thread may be reading from it: that one closes it then.
        if tail is not None and tail is not self._polled:
            tail.close()

    async def _start(self) -> None:
        """Search anew with the filters as they are now, and follow from there."""
        self._stop()
        if self._closed:
            return
        self._interrupted = False
        search = self._search = Search()
        for batch, _ in self._batches:
            batch.delete()
        self._batches.clear()
        self._show_state(None)
        query = self._filters.query(time.time())
        tail = self._tail = self._backend.logs.follow(query, most_behind=_BEHIND)
        result = await asyncio.get_running_loop().run_in_executor(
            _SEARCHERS, self._find, query, search, tail
        )
        if self._search is search and not self._closed:
            self._search = None
            self._found.show(rows(reversed(result.lines)))
            self._show_state(result, search.stop.is_set())

    def _find(self, query: Query, search: Search, tail: Tail) -> SearchResult:
        folder = self._backend.logs
        return folder.search(query, self._limit, search.stop.is_set, search.told, before=tail)

    # --- following -----------------------------------------------------------------------

    async def _refresh(self) -> None:
        if self._search is not None:
            self._show_state(None)
        tail = self._tail
        if tail is None or self._paused or self._polled is not None:
            return
        self._polled = tail
        try:
            lines = await asyncio.to_thread(tail.poll)
        finally:
            self._polled = None
            if self._tail is not tail:
                tail.close()
        if lines and self._tail is tail and not self._closed:
            self._prepend(lines)

    def _prepend(self, lines: list[Line]) -> None:
        html = rows(reversed(lines[-BATCH:]))
        if len(lines) > BATCH:
            html += notice(f"{len(lines) - BATCH:,} lines left out here", "Pause, or filter.")
        with self._fresh:
            batch = Live(html)
        batch.move(self._fresh, 0)
        self._batches.append((batch, min(len(lines), BATCH)))
        shown = sum(count for _, count in self._batches)
        while shown > SHOWN and len(self._batches) > 1:
            oldest, count = self._batches.popleft()
            oldest.delete()
            shown -= count
            # What is older than what was dropped would leave a gap.
            self._found.show("")

    def _show_state(self, result: SearchResult | None, cancelled: bool = False) -> None:
        self._state.show(_state(self._search, result, cancelled, self._paused, self._limit))


def _state(
    search: Search | None,
    result: SearchResult | None,
    cancelled: bool,
    paused: bool,
    limit: int,
) -> str:
    """HTML: what the page is doing, and what can be done about it."""
    live = "Paused: new lines wait." if paused else "Live."
    if search is not None:
        if search.stop.is_set():
            return _line("Cancelling.")
        far = f": {size(search.scanned)} of {size(search.total)}" if search.total else ""
        button = '<button class="act" data-action="cancel">Cancel</button>'
        return _line(f"Searching{far}. {live}", button)
    if result is None:
        return _line(live)
    count = len(result.lines)
    lines = "1 line" if count == 1 else f"{count:,} lines"
    words = f"{live} {lines} found in {size(result.scanned_bytes)}"
    if cancelled:
        return _line(f"{words}, then cancelled; older ones may match, too.")
    if not result.complete and limit < MOST_SHOWN:
        button = f'<button class="act" data-action="older">Up to {MOST_SHOWN:,}</button>'
        return _line(f"{words}; older ones match, too.", button)
    return _line(f"{words}." if result.complete else f"{words}; `titanium logs` shows more.")


def _line(text: str, button: str = "") -> str:
    return f'<div class="log-state quiet" role="status">{text} {button}</div>'
