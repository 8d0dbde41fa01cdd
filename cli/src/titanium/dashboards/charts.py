"""Draws a panel as ECharts options: lines, bars, dials. Pure: panel and answers in, dict out."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from titanium.console.prometheus import Series
from titanium.console.widgets import chart_options, line
from titanium.dashboards.answers import Answer
from titanium.dashboards.figures import COLORS, color_of, named_color, unit_of, written
from titanium.dashboards.interpolate import Range
from titanium.dashboards.model import DashboardError, Panel

CHARTS = frozenset({"timeseries", "gauge", "bargauge"})
# More lines than this in one picture cannot be told apart.
MOST_SERIES = 24
_LABEL = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_GREY = COLORS["text"]
# A label of PromQL's own that says nothing to a person.
_HIDDEN = frozenset({"__name__", "job"})

Options = dict[str, Any]


def series_name(answer: Answer, series: Series) -> str:
    """The legend with its labels, or the labels themselves."""
    if answer.target.legend:
        return _LABEL.sub(lambda found: series.labels.get(found[1], ""), answer.target.legend)
    shown = [value for name, value in sorted(series.labels.items()) if name not in _HIDDEN]
    return ", ".join(shown) or "value"


def last(series: Series) -> float | None:
    """The newest value that is a number."""
    return next((value for _, value in reversed(series.points) if math.isfinite(value)), None)


def named(answers: Sequence[Answer]) -> list[tuple[str, Series]]:
    """All series of a panel with their names, those with points only."""
    return [
        (series_name(answer, series), series)
        for answer in answers
        for series in answer.series
        if series.points
    ]


def draw(panel: Panel, answers: Sequence[Answer], span: Range) -> Options:
    """ECharts options of a panel whose kind is one of CHARTS; DashboardError for another."""
    if panel.kind == "timeseries":
        return _timeseries(panel, answers, span)
    if panel.kind == "gauge":
        return _gauge(panel, answers)
    if panel.kind == "bargauge":
        return _bargauge(panel, answers)
    raise DashboardError(f"a panel of kind {panel.kind!r} is not drawn as a chart", "")


def _timeseries(panel: Panel, answers: Sequence[Answer], span: Range) -> Options:
    unit = unit_of(panel.unit)
    kind = "s" if unit.kind == "duration" else unit.kind
    options = chart_options(kind)
    options["xAxis"].update(min=round(span.start * 1000), max=round(span.end * 1000))
    options["yAxis"]["min"] = None if panel.minimum is None else panel.minimum * unit.scale
    if panel.maximum is not None:
        top = panel.maximum * unit.scale
        options["yAxis"].update(max=top, interval=top / 4)
    found = sorted(named(answers), key=lambda item: -(last(item[1]) or 0))
    if not panel.overrides:
        found = sorted(found[:MOST_SERIES], key=lambda item: item[0])
    shown = _aligned(found[:MOST_SERIES]) if _is_stacked(panel) else found[:MOST_SERIES]
    options["series"] = [_line(panel, name, series, unit.scale, span) for name, series in shown]
    if panel.maximum is None and _highest(found) <= 0:
        options["yAxis"].update(max=1, interval=0.25)  # zeros lie on the ground, not in the middle
    if options["series"]:
        options["series"][0].update(_threshold_lines(panel, found, unit.scale))
    return options


def _highest(found: Sequence[tuple[str, Series]]) -> float:
    return max(
        (value for _, series in found for _, value in series.points if math.isfinite(value)),
        default=0.0,
    )


def _is_stacked(panel: Panel) -> bool:
    return bool(panel.custom.get("stacking", {}).get("mode") == "normal")


def _aligned(found: Sequence[tuple[str, Series]]) -> list[tuple[str, Series]]:
    """Stacked values of one moment must meet: a series counts as 0 where it has no point."""
    moments = sorted({moment for _, series in found for moment, _ in series.points})
    aligned = []
    for name, series in found:
        values = {moment: value for moment, value in series.points if math.isfinite(value)}
        points = [(moment, values.get(moment, 0.0)) for moment in moments]
        aligned.append((name, Series(series.labels, points)))
    return aligned


def _line(panel: Panel, name: str, series: Series, scale: float, span: Range) -> Options:
    stacked = _is_stacked(panel)
    override = panel.overrides.get(name, {}).get("color", {}).get("fixedColor", "")
    points = ((moment, value * scale) for moment, value in _with_gaps(series, span))
    drawn = line(name, points, named_color(override) if override else "")
    if panel.custom.get("drawStyle") == "bars":
        drawn = {**drawn, "type": "bar", "barMaxWidth": 12}
    elif stacked:
        # Without an outline: a class of answers that is 0 would draw its colour on top of the rest.
        drawn.update(areaStyle={"opacity": 0.6}, lineStyle={"width": 0})
    if stacked:
        drawn["stack"] = "all"
    return drawn


def _with_gaps(series: Series, span: Range) -> list[tuple[float, float]]:
    """A point that is not a number where points are missing: the line breaks there."""
    found: list[tuple[float, float]] = []
    for moment, value in series.points:
        if found and moment - found[-1][0] > 2.5 * span.step + 60:
            found.append((found[-1][0] + span.step, math.nan))
        found.append((moment, value))
    return found


def _threshold_lines(panel: Panel, found: Sequence[tuple[str, Series]], scale: float) -> Options:
    """A threshold is drawn only when the values come near it: it would flatten them otherwise."""
    if panel.custom.get("thresholdsStyle", {}).get("mode", "off") == "off":
        return {}
    highest = _highest(found)
    lines = [
        {"yAxis": start * scale, "lineStyle": {"color": named_color(color)}}
        for start, color in panel.steps
        if math.isfinite(start) and start <= highest * 2
    ]
    return {
        "markLine": {
            "silent": True,
            "symbol": "none",
            "label": {"show": False},
            "lineStyle": {"type": "dashed", "width": 1},
            "data": lines,
        }
    }


def _gauge(panel: Panel, answers: Sequence[Answer]) -> Options:
    low, high = panel.minimum or 0.0, panel.maximum if panel.maximum is not None else 1.0
    found = named(answers)
    width = 100 / max(1, len(found))
    bounds = [(max(low, start), color) for start, color in panel.steps]
    ends = [start for start, _ in bounds[1:]] + [high]
    bands = [
        [min(1.0, (end - low) / (high - low)), named_color(color)]
        for end, (_, color) in zip(ends, bounds, strict=True)
    ] or [[1.0, _GREY]]
    return {
        "animation": False,
        "backgroundColor": "transparent",
        "series": [
            _dial(panel, name, last(series), (low, high), bands, width * (at + 0.5), len(found))
            for at, (name, series) in enumerate(found)
        ],
    }


def _dial(
    panel: Panel,
    name: str,
    value: float | None,
    bounds: tuple[float, float],
    bands: list[list[Any]],
    center: float,
    count: int,
) -> Options:
    color = color_of(value, panel.steps)
    return {
        "type": "gauge",
        "min": bounds[0],
        "max": bounds[1],
        "startAngle": 205,
        "endAngle": -25,
        "center": [f"{center:g}%", "62%"],
        "radius": f"{min(95.0, 180 / count):g}%",
        "axisLine": {"lineStyle": {"width": 4, "color": bands}},
        "progress": {"show": True, "width": 12, "itemStyle": {"color": color}},
        "pointer": {"show": False},
        "axisTick": {"show": False},
        "splitLine": {"show": False},
        "axisLabel": {"show": False},
        "title": {"show": count > 1, "color": _GREY, "fontSize": 11, "offsetCenter": [0, "38%"]},
        "detail": {
            "formatter": written(value, panel.unit),
            "color": color,
            "fontSize": 20,
            "offsetCenter": [0, "0%"],
        },
        "data": [{"name": name, "value": bounds[0] if value is None else value}],
    }


def _most(value: float | None, maximum: float) -> float | None:
    return None if value is None else min(value, maximum)


def _bargauge(panel: Panel, answers: Sequence[Answer]) -> Options:
    found = sorted(((name, last(series)) for name, series in named(answers)), reverse=True)
    axis: Options = {"type": "value", "show": False, "min": panel.minimum or 0}
    if panel.maximum is not None:
        axis["max"] = panel.maximum
    return {
        "animation": False,
        "backgroundColor": "transparent",
        "textStyle": {"fontFamily": "inherit", "color": _GREY},
        "grid": {"left": 8, "right": 72, "top": 4, "bottom": 4, "containLabel": True},
        "xAxis": axis,
        "yAxis": {
            "type": "category",
            "data": [name for name, _ in found],
            "axisLine": {"show": False},
            "axisTick": {"show": False},
            "axisLabel": {"color": _GREY, "fontSize": 11},
        },
        "series": [
            {
                "type": "bar",
                "barMaxWidth": 18,
                "showBackground": True,
                "backgroundStyle": {"color": "rgba(132,141,151,0.14)"},
                "data": [
                    {
                        # Beyond the end the bar is full, and the text says how much it is.
                        "value": value if panel.maximum is None else _most(value, panel.maximum),
                        "itemStyle": {"color": color_of(value, panel.steps)},
                        "label": {
                            "show": True,
                            "position": "right",
                            "color": _GREY,
                            "formatter": written(value, panel.unit),
                        },
                    }
                    for _, value in found
                ],
            }
        ],
    }
