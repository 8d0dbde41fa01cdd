"""The golden signals as charts: their ECharts options from a snapshot's ranges."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from nicegui import ui

from titanium.console import signals
from titanium.console.signals import STEP, Ranges
from titanium.console.widgets import (
    BAD,
    COLORS,
    GOOD,
    WARN,
    Live,
    chart_options,
    duration,
    esc,
    line,
    number,
    panel,
    percent,
)

Mark = tuple[float, str]
QUANTILES = (("0.5", "p50", GOOD), ("0.95", "p95", WARN), ("0.99", "p99", BAD))


def traffic(ranges: Ranges, service: str) -> dict[str, Any]:
    points = ranges.points(signals.REQUESTS, service=service)
    return _options(ranges, "/s", [line("requests", points, COLORS[0], area=True)])


def errors(ranges: Ranges, service: str) -> dict[str, Any]:
    points = ranges.points(signals.ERRORS, service=service)
    options = _options(ranges, "ratio", [line("5xx", points, BAD, area=True)])
    # Without errors the axis would show ten-thousandths of a per cent.
    return _with_top(options, 0.01)


def latency(ranges: Ranges, service: str) -> dict[str, Any]:
    return _options(
        ranges,
        "s",
        [
            line(name, ranges.points(signals.LATENCY, service=service, quantile=quantile), color)
            for quantile, name, color in QUANTILES
        ],
    )


def saturation(ranges: Ranges, service: str) -> dict[str, Any]:
    options = _options(
        ranges,
        "ratio",
        [
            line("CPU", ranges.points(signals.CPU, service=service), COLORS[0]),
            line("memory", ranges.points(signals.MEMORY, service=service), COLORS[3]),
        ],
    )
    return _with_top(options, 0.1)


Make = Callable[[Ranges, str], dict[str, Any]]
UNITS: dict[str, Callable[[float | None], str]] = {
    "Traffic": lambda value: f"{number(value)}/s",
    "Latency": duration,
}
SIGNALS: tuple[tuple[str, Make], ...] = (
    ("Traffic", traffic),
    ("Errors", errors),
    ("Latency", latency),
    ("Saturation", saturation),
)


def _with_top(options: dict[str, Any], least: float) -> dict[str, Any]:
    """An axis of ratios that ends at a round number, `least` or more."""
    highest = max(
        (v for series in options["series"] for _, v in series["data"] if v is not None), default=0.0
    )
    tops = (least, *(top for top in (0.02, 0.05, 0.1, 0.2, 0.5, 1.0) if top > least))
    top = next((top for top in tops if top >= highest), None)
    if top is not None:
        options["yAxis"].update(max=top, interval=top / 2)
    return options


def _options(ranges: Ranges, unit: str, lines: list[dict[str, Any]]) -> dict[str, Any]:
    options = chart_options(unit, series=lines)
    if len(lines) == 1:
        options["legend"]["show"] = False
        options["grid"]["top"] = 8
    if ranges.end:
        options["xAxis"]["min"] = (ranges.end - signals.WINDOW) * 1000
        options["xAxis"]["max"] = ranges.end * 1000
    return options


def zoom(options: dict[str, Any], seconds: float, marks: Iterable[Mark] = ()) -> dict[str, Any]:
    """The last `seconds` of a chart, with a vertical line at each mark (epoch second, text)."""
    end = options["xAxis"].get("max")
    if end is None or not options["series"]:
        return options
    begin = end - seconds * 1000
    options["xAxis"]["min"] = begin
    for series in options["series"]:
        series["data"] = [point for point in series["data"] if point[0] >= begin - STEP * 1000]
    shown = [(at * 1000, text) for at, text in marks if begin <= at * 1000 <= end]
    options["series"][0]["markLine"] = {
        "symbol": "none",
        "silent": True,
        "animation": False,
        "lineStyle": {"color": BAD, "type": "solid", "width": 1},
        "label": {"formatter": "{b}", "fontSize": 10, "color": BAD, "position": "insideEndTop"},
        "data": [{"name": text, "xAxis": at} for at, text in shown],
    }
    return options


def _head(title: str, options: dict[str, Any]) -> str:
    """HTML: the title, and at its right the newest value of each line."""
    show = UNITS.get(title, percent)
    newest = (series["data"][-1][1] for series in options["series"] if series["data"])
    values = " / ".join(show(value) for value in newest) or "no data yet"
    aside = f'<span class="aside figure">{esc(values)}</span>'
    return f'<div class="head"><h2>{esc(title)}</h2>{aside}</div>'


class SignalCharts:
    """Four charts of one service; `show` redraws them from newer ranges."""

    def __init__(
        self,
        ranges: Ranges,
        service: str,
        kind: str = "quarter",
        adapt: Callable[[dict[str, Any]], dict[str, Any]] = lambda options: options,
    ) -> None:
        self._service = service
        self._adapt = adapt
        self._charts: list[tuple[Live, ui.echart, str, Make]] = []
        for title, make in SIGNALS:
            with panel("", kind=kind):
                options = make(ranges, service)
                head = Live(_head(title, options))
                chart = ui.echart(adapt(options)).classes("chart")
                self._charts.append((head, chart, title, make))

    def choose(self, service: str, ranges: Ranges) -> None:
        self._service = service
        self.show(ranges)

    def show(self, ranges: Ranges) -> None:
        for head, chart, title, make in self._charts:
            options = make(ranges, self._service)
            head.show(_head(title, options))
            options = self._adapt(options)
            chart.options.clear()
            chart.options.update(options)
            chart.update()
