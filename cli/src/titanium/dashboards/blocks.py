"""Draws the panels that are not charts as HTML: figures, tables, log lines, text."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from titanium.console import loglines
from titanium.console.prometheus import Series
from titanium.console.widgets import esc, link, sparkline, table
from titanium.dashboards.answers import Answer
from titanium.dashboards.charts import last, named
from titanium.dashboards.figures import color_of, written
from titanium.dashboards.model import DashboardError, Panel
from titanium.logs import Line

_FIGURE = re.compile(r"Value #([A-Z])")
_MOST_ROWS = 200


def draw(panel: Panel, answers: Sequence[Answer], markdown: Callable[[str], str]) -> str:
    """A panel as HTML; `markdown` renders a text. DashboardError for a kind that nobody draws."""
    if panel.kind == "stat":
        return _stat(panel, answers)
    if panel.kind == "table":
        return _table(panel, answers)
    if panel.kind == "logs":
        return _logs([line for answer in answers for line in answer.lines])
    if panel.kind == "text":
        return markdown(str(panel.options.get("content", "")))
    raise DashboardError(
        f"panels of kind {panel.kind!r} are not drawn here", "Open the dashboard in Grafana."
    )


def _stat(panel: Panel, answers: Sequence[Answer]) -> str:
    found = named(answers)
    if not found:
        return '<div class="stat"><strong>–</strong><span class="quiet">no data</span></div>'
    figures = []
    for name, series in found:
        value = last(series)
        text = f'<strong style="color:{color_of(value, panel.steps)}">'
        text += f"{esc(written(value, panel.unit))}</strong>"
        label = f'<span class="quiet">{esc(name)}</span>' if len(found) > 1 else ""
        figures.append(f"{text}{label}{_spark(series)}")
    return f'<div class="stat">{"".join(figures)}</div>'


def _spark(series: Series) -> str:
    """As wide as the panel, whatever that is."""
    return sparkline(series.points, 160, 26).replace("<svg ", '<svg preserveAspectRatio="none" ', 1)


def rows(answers: Sequence[Answer]) -> list[tuple[dict[str, str], dict[str, float]]]:
    """The answers merged by their labels: (labels, value by the expression's letter)."""
    merged: dict[tuple[tuple[str, str], ...], dict[str, float]] = {}
    for answer in answers:
        for series in answer.series:
            key = tuple(sorted(item for item in series.labels.items() if item[0] != "__name__"))
            value = last(series)
            if value is not None:
                merged.setdefault(key, {})[answer.target.ref] = value
    return [(dict(labels), values) for labels, values in sorted(merged.items())]


def _table(panel: Panel, answers: Sequence[Answer]) -> str:
    organize = panel.transformations.get("organize", {})
    renamed: dict[str, str] = organize.get("renameByName", {})
    order: dict[str, int] = organize.get("indexByName", {})
    columns = sorted(renamed, key=lambda name: order.get(name, len(order)))
    if not columns:
        raise DashboardError("this table names no columns", "Give it an organize transformation.")
    headings = [(">" if _FIGURE.fullmatch(name) else "") + renamed[name] for name in columns]
    body = [
        [_cell(panel, renamed[name], name, labels, values) for name in columns]
        for labels, values in rows(answers)[:_MOST_ROWS]
    ]
    return table(headings, body, "No data.")


def _cell(
    panel: Panel, heading: str, name: str, labels: dict[str, str], values: dict[str, float]
) -> str:
    override: Any = panel.overrides.get(heading, {})
    figure = _FIGURE.fullmatch(name)
    if figure is None:
        text = labels.get(name, "")
        links = override.get("links")
        return link(_target(links[0]["url"], text), text) if links and text else esc(text)
    value = values.get(figure[1], math.nan)
    shown = esc(written(value, override.get("unit", panel.unit)))
    steps = override.get("thresholds")
    return f'<span style="color:{color_of(value, steps)}">{shown}</span>' if steps else shown


def _target(url: str, text: str) -> str:
    """Grafana's path of a dashboard as the console's."""
    path = url.replace("${__value.raw}", quote(text, safe=""))
    return re.sub(r"^/d/", "/dashboards/", path).replace("?var-", "?")


def _logs(lines: Sequence[Line]) -> str:
    return loglines.rows(reversed(lines)) if lines else '<p class="quiet">No line matches.</p>'
