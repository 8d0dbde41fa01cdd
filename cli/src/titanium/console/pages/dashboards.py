"""`/dashboards`: the Grafana dashboards of monitoring/dashboards, drawn from the same files."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import nh3
import pyromark
from nicegui import ui
from starlette.requests import Request

from titanium.console.backend import Backend
from titanium.console.shell import frame
from titanium.console.widgets import Live, esc, link, notice, problem
from titanium.dashboards import FOLDER, blocks, charts
from titanium.dashboards.answers import Answer, Sources, ask, values_of
from titanium.dashboards.interpolate import ALL, Range
from titanium.dashboards.model import Dashboard, Panel, Variable, load_dashboard
from titanium.errors import TitaniumError

RANGES = {"5m": 300, "15m": 900, "1h": 3600, "6h": 21_600, "24h": 86_400}
REFRESHES = {5: "every 5 s", 10: "every 10 s", 60: "every minute", 0: "never"}
# Questions that one page asks at the same time.
_AT_ONCE = 8


def register(backend: Backend) -> None:
    folder = backend.root / FOLDER

    @ui.page("/dashboards")
    def dashboards() -> None:
        with frame(backend, "Dashboards"):
            Live(_contents(folder))

    @ui.page("/dashboards/{uid}")
    def dashboard(uid: str, request: Request) -> None:
        with frame(backend, "Dashboards"):
            try:
                found = _find(folder, uid)
            except TitaniumError as error:
                Live(problem(error))
                return
            if found is None:
                Live(notice(f"There is no dashboard {uid[:80]}.", "See the list.", "warn"))
                return
            _Page(backend, found, request.query_params)


def _contents(folder: Path) -> str:
    """Every dashboard of the folder; a file that cannot be read says so in its place."""
    cards, troubles = [], []
    for path in sorted(folder.glob("*.json")):
        try:
            one = load_dashboard(path)
        except TitaniumError as error:
            troubles.append(problem(error))
            continue
        title = link(f"/dashboards/{one.uid}", _short(one))
        cards.append((one.title, f"<h2>{title}</h2><p class='quiet'>{esc(one.description)}</p>"))
    if not cards and not troubles:
        return notice("There are no dashboards.", f"They are made by titanium docs in {FOLDER}.")
    body = "".join(f'<section class="panel third">{html}</section>' for _, html in sorted(cards))
    return f'{"".join(troubles)}<h1>Dashboards</h1><div class="grid boards">{body}</div>'


def _find(folder: Path, uid: str) -> Dashboard | None:
    """A broken file is an error only when none of the others is the one that is wanted."""
    trouble: TitaniumError | None = None
    for path in sorted(folder.glob("*.json")):
        try:
            one = load_dashboard(path)
        except TitaniumError as error:
            trouble = trouble or error
            continue
        if one.uid == uid:
            return one
    if trouble is not None:
        raise trouble
    return None


def _short(dashboard: Dashboard) -> str:
    return dashboard.title.removeprefix("Titanium / ")


class _Page:
    """One dashboard in one browser: what is chosen, and its panels."""

    def __init__(
        self, backend: Backend, dashboard: Dashboard, parameters: Mapping[str, str]
    ) -> None:
        self.dashboard = dashboard
        self.sources = Sources(backend.prometheus, backend.logs)
        self.choices = {
            one.name: [parameters.get(one.name) or one.chosen]
            for one in dashboard.variables
            if one.kind != "datasource"
        }
        usual = dashboard.since.removeprefix("now-")
        asked = parameters.get("range", usual)
        self.range = asked if asked in RANGES else "1h"
        self.selects: dict[str, ui.select] = {}
        self._asking = asyncio.Semaphore(_AT_ONCE)
        self._running = False
        self._again = False
        self._controls()
        with ui.element("div").classes("dashboard"):
            self.tiles = [_Tile(panel) for panel in dashboard.panels]
        self.timer = ui.timer(10, self.refresh, immediate=False)
        ui.timer(0.05, self.refresh, once=True)

    def _controls(self) -> None:
        looks = "outlined dense options-dense"
        with ui.element("div").classes("title-row"):
            back = f"{link('/dashboards', 'Dashboards')} / "
            Live(f"<h1>{back}{esc(_short(self.dashboard))}</h1>")
            with ui.element("div").classes("actions choices"):
                for one in self.dashboard.variables:
                    self._control(one)
                ui.select(
                    list(RANGES), value=self.range, label="Last", on_change=self._set_range
                ).props(looks)
                ui.select(REFRESHES, value=10, label="Refresh", on_change=self._set_refresh).props(
                    looks
                )

    def _control(self, variable: Variable) -> None:
        if variable.kind == "textbox":
            ui.input(
                variable.title,
                value=self.choices[variable.name][0],
                on_change=lambda event: self._choose(variable, event.value),
            ).props('outlined dense clearable debounce="400"')
        elif variable.kind in ("query", "custom"):
            value = self.choices[variable.name][0]
            self.selects[variable.name] = ui.select(
                _labelled(variable, [], value),
                value=value,
                label=variable.title,
                on_change=lambda event: self._choose(variable, event.value),
            ).props("outlined dense options-dense")

    async def _choose(self, variable: Variable, value: str | None) -> None:
        if self.choices[variable.name] != [value or ""]:
            self.choices[variable.name] = [value or ""]
            await self._changed()

    async def _set_range(self, event: Any) -> None:
        self.range = str(event.value)
        await self._changed()

    def _set_refresh(self, event: Any) -> None:
        seconds = int(event.value)
        self.timer.active = seconds > 0
        if seconds:
            self.timer.interval = seconds

    async def _changed(self) -> None:
        """The address keeps what was chosen: it can be sent to a colleague."""
        chosen = {name: values[0] for name, values in self.choices.items() if values[0]}
        address = urlencode({**chosen, "range": self.range})
        ui.navigate.history.replace(f"/dashboards/{self.dashboard.uid}?{address}")
        await self.refresh()

    async def refresh(self) -> None:
        """Ask for everything once more; a call during another one makes that one start over."""
        if self._running:
            self._again = True
            return
        self._running = True
        try:
            await self._refresh()
            while self._again:
                self._again = False
                await self._refresh()
        finally:
            self._running = False

    async def _refresh(self) -> None:
        now = time.time()
        for variable in self.dashboard.variables:
            if variable.name in self.selects:
                await self._refill(variable, now)
        span = Range.last(RANGES[self.range], now)
        await asyncio.gather(*(self._fill(tile, span) for tile in self.tiles))

    async def _refill(self, variable: Variable, now: float) -> None:
        try:
            values = await values_of(
                variable, self.choices, self.dashboard.variables, self.sources, now
            )
        except TitaniumError:
            return  # every panel says it
        chosen = self.choices[variable.name][0]
        if not chosen and values:
            chosen = values[0]
            self.choices[variable.name] = [chosen]
        select, options = self.selects[variable.name], _labelled(variable, values, chosen)
        if select.options != options or select.value != chosen:
            select.set_options(options, value=chosen)

    async def _fill(self, tile: _Tile, span: Range) -> None:
        if tile.panel.kind == "row":
            return
        try:
            async with self._asking:
                answers = await ask(
                    tile.panel, self.dashboard.variables, self.choices, span, self.sources
                )
            tile.show(answers, span)
        except TitaniumError as error:
            tile.fail(error)


def _labelled(variable: Variable, values: list[str], chosen: str) -> dict[str, str]:
    """What may be chosen: value -> text. A choice that has no series any more stays visible."""
    options = {ALL: "All"} if variable.include_all else {}
    options |= {value: value for value in values}
    if chosen not in options:
        options[chosen] = chosen
    return options


class _Tile:
    """One panel in its place of the grid."""

    def __init__(self, panel: Panel) -> None:
        self.panel = panel
        self.chart: ui.echart | None = None
        # A cell is 30 pixels high, with 8 between two of them; so is Grafana's.
        place = (
            f"grid-area: {panel.y + 1} / {panel.x + 1} / span {panel.height} / span {panel.width}"
        )
        if panel.kind == "row":
            with ui.element("div").classes("heading").style(place):
                Live(f"<h2>{esc(panel.title)}</h2>")
            return
        with ui.element("section").classes(f"panel tile k-{panel.kind}").style(place):
            Live(f'<h3 title="{esc(panel.description)}">{esc(panel.title)}</h3>')
            self.said = Live('<p class="quiet">Loading</p>')
            self.body = ui.element("div").classes("body")

    def show(self, answers: list[Answer], span: Range) -> None:
        """Draw the answers; what is missing from them is said above."""
        notes = "".join(f'<p class="quiet">{esc(one.note)}</p>' for one in answers if one.note)
        if self.panel.kind not in charts.CHARTS:
            self.said.show(notes + blocks.draw(self.panel, answers, _markdown))
            return
        options = charts.draw(self.panel, answers, span)
        empty = "" if charts.named(answers) else '<p class="quiet">No data in this time.</p>'
        self.said.show(notes + empty)
        if self.chart is None:
            with self.body:
                self.chart = ui.echart(options).classes("fill")
        else:
            self.chart.options.clear()
            self.chart.options.update(options)
            self.chart.update()

    def fail(self, error: TitaniumError) -> None:
        """What could be drawn last stays; above it is said why there is nothing newer."""
        self.said.show(problem(error))


def _markdown(text: str) -> str:
    html = pyromark.html(text, options=pyromark.Options.ENABLE_TABLES)
    return f'<div class="prose">{nh3.clean(html)}</div>'
