"""Grafana panels in few words: each builder gives one panel's JSON without its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
Steps = tuple[tuple[float | None, str], ...]

PROMETHEUS: Json = {"type": "prometheus", "uid": "${datasource}"}
LOKI: Json = {"type": "loki", "uid": "${loki}"}

# Colours that mean the same on every dashboard.
CODE_COLORS = {"2xx": "green", "3xx": "blue", "4xx": "yellow", "5xx": "red"}
LEVEL_COLORS = {
    "debug": "text",
    "info": "green",
    "warning": "yellow",
    "error": "red",
    "critical": "dark-red",
}
NEUTRAL: Steps = ((None, "blue"),)


def above(warning: float, critical: float) -> Steps:
    """Green below `warning`, orange from it on, red from `critical` on."""
    return ((None, "green"), (warning, "orange"), (critical, "red"))


def below(warning: float, critical: float) -> Steps:
    """Green from `warning` on, orange under it, red under `critical`."""
    return ((None, "red"), (critical, "orange"), (warning, "green"))


@dataclass(frozen=True, slots=True)
class Query:
    """One expression and what its series are called (`{{label}}` is replaced)."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel's JSON with the columns (of 24) that it takes."""

    width: int
    json: Json


@dataclass(frozen=True, slots=True)
class Column:
    """One figure of a table: what is asked, its heading, its unit and its colours."""

    expr: str
    title: str
    unit: str
    steps: Steps = ()


@dataclass(frozen=True, slots=True)
class Look:
    """How a time series is drawn."""

    stacked: bool = False
    bars: bool = False
    steps: Steps = ()
    maximum: float | None = None
    minimum: float | None = 0
    colors: Mapping[str, str] = field(default_factory=dict)


def timeseries(
    title: str,
    description: str,
    *queries: Query,
    unit: str,
    width: int = 12,
    look: Look | None = None,
) -> Panel:
    """Lines over time; a threshold is drawn as a line."""
    look = look or Look()
    custom: Json = {
        "drawStyle": "bars" if look.bars else "line",
        "lineInterpolation": "linear",
        "lineWidth": 1 if look.stacked else 2,
        "fillOpacity": 60 if look.bars else 25 if look.stacked else 8,
        "showPoints": "never",
        "spanNulls": 60_000,
        "stacking": {"mode": "normal" if look.stacked else "none", "group": "A"},
        "thresholdsStyle": {"mode": "line+area" if look.steps else "off"},
    }
    defaults = _defaults(unit, look.steps or NEUTRAL, color={"mode": "palette-classic"})
    defaults["custom"] = custom
    if look.minimum is not None:
        defaults["min"] = look.minimum
    if look.maximum is not None:
        defaults["max"] = look.maximum
    options = {
        "legend": {
            "displayMode": "table",
            "placement": "bottom",
            "showLegend": True,
            "calcs": ["lastNotNull", "max"],
        },
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    overrides = [
        _override("byName", name, "color", {"mode": "fixed", "fixedColor": color})
        for name, color in look.colors.items()
    ]
    return _panel("timeseries", title, description, width, queries, defaults, options, overrides)


def stat(
    title: str, description: str, query: Query, *, unit: str, steps: Steps = NEUTRAL, width: int = 4
) -> Panel:
    """One figure with its last values behind it."""
    options = {
        "colorMode": "value",
        "graphMode": "area",
        "justifyMode": "auto",
        "orientation": "auto",
        "textMode": "auto",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
    }
    defaults = _defaults(unit, steps)
    return _panel("stat", title, description, width, (query,), defaults, options)


def gauge(
    title: str,
    description: str,
    query: Query,
    *,
    unit: str,
    steps: Steps,
    width: int = 6,
    maximum: float = 1,
) -> Panel:
    """One dial a series, from 0 to `maximum`."""
    options = {
        "showThresholdLabels": False,
        "showThresholdMarkers": True,
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
    }
    defaults = {**_defaults(unit, steps), "min": 0, "max": maximum}
    return _panel("gauge", title, description, width, (query,), defaults, options)


def bargauge(
    title: str,
    description: str,
    query: Query,
    *,
    unit: str,
    steps: Steps = NEUTRAL,
    width: int = 12,
    maximum: float | None = None,
) -> Panel:
    """One horizontal bar a series: for comparing them now."""
    options = {
        "displayMode": "basic",
        "orientation": "horizontal",
        "showUnfilled": True,
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
    }
    defaults = {**_defaults(unit, steps), "min": 0}
    if maximum is not None:
        defaults["max"] = maximum
    return _panel("bargauge", title, description, width, (query,), defaults, options, instant=True)


def table(
    title: str,
    description: str,
    *columns: Column,
    width: int = 24,
    labels: Mapping[str, str],
    links: Mapping[str, str] | None = None,
) -> Panel:
    """One row a label set, one column a query: the queries must have `labels` only.

    `labels` maps label names to headings, in the order of the columns; `links` maps a label to
    a path in which `${__value.raw}` is the cell's text.
    """
    queries = [Query(column.expr) for column in columns]
    names = {f"Value #{chr(65 + at)}": column.title for at, column in enumerate(columns)}
    order = [*labels, *names]
    overrides = []
    for column in columns:
        overrides.append(_override("byName", column.title, "unit", column.unit))
        if column.steps:
            properties = overrides[-1]["properties"]
            properties.append({"id": "thresholds", "value": _thresholds(column.steps)})
            properties.append({"id": "custom.cellOptions", "value": {"type": "color-text"}})
    for label, path in (links or {}).items():
        link = [{"title": "Details", "url": path}]
        overrides.append(_override("byName", labels[label], "links", link))
    made = _panel(
        "table",
        title,
        description,
        width,
        queries,
        _defaults("short", NEUTRAL),
        {"showHeader": True, "cellHeight": "sm", "footer": {"show": False}},
        overrides,
        instant=True,
    )
    for target in made.json["targets"]:
        target["format"] = "table"
    made.json["transformations"] = [
        {"id": "merge", "options": {}},
        {
            "id": "organize",
            "options": {
                "excludeByName": {"Time": True},
                "indexByName": {name: at for at, name in enumerate(order)},
                "renameByName": {**labels, **names},
            },
        },
    ]
    return made


def logs(title: str, description: str, expr: str, *, width: int = 24) -> Panel:
    """Lines of a LogQL stream query, newest first."""
    options = {
        "showTime": True,
        "wrapLogMessage": True,
        "enableLogDetails": True,
        "dedupStrategy": "none",
        "sortOrder": "Descending",
    }
    defaults = _defaults("none", NEUTRAL)
    return _panel("logs", title, description, width, (Query(expr),), defaults, options, loki=True)


def loki_timeseries(
    title: str, description: str, query: Query, *, unit: str, width: int = 12, look: Look
) -> Panel:
    """A time series that is counted from log lines."""
    made = timeseries(title, description, query, unit=unit, width=width, look=look)
    made.json["datasource"] = LOKI
    for target in made.json["targets"]:
        target.update(datasource=LOKI, queryType="range")
        target.pop("range", None)
    return made


def text(title: str, description: str, markdown: str, *, width: int = 24) -> Panel:
    """Markdown: what to read first, where to go next."""
    return Panel(
        width,
        {
            "type": "text",
            "title": title,
            "description": description,
            "options": {"mode": "markdown", "content": markdown},
        },
    )


def _panel(
    kind: str,
    title: str,
    description: str,
    width: int,
    queries: Sequence[Query],
    defaults: Json,
    options: Json,
    overrides: Sequence[Json] = (),
    *,
    loki: bool = False,
    instant: bool = False,
) -> Panel:
    source = LOKI if loki else PROMETHEUS
    return Panel(
        width,
        {
            "type": kind,
            "title": title,
            "description": description,
            "datasource": source,
            "fieldConfig": {"defaults": defaults, "overrides": list(overrides)},
            "options": options,
            "targets": [
                _target(at, query, source, instant=instant) for at, query in enumerate(queries)
            ],
        },
    )


def _target(at: int, query: Query, source: Json, *, instant: bool) -> Json:
    target: Json = {"refId": chr(65 + at), "datasource": source, "expr": query.expr}
    if query.legend:
        target["legendFormat"] = query.legend
    if source is LOKI:
        return {**target, "queryType": "range"}
    return {**target, "editorMode": "code", "instant": instant, "range": not instant}


def _defaults(unit: str, steps: Steps, color: Json | None = None) -> Json:
    return {
        "unit": unit,
        "color": color or {"mode": "thresholds"},
        "thresholds": _thresholds(steps),
        "mappings": [],
    }


def _thresholds(steps: Steps) -> Json:
    return {
        "mode": "absolute",
        "steps": [{"color": color, "value": value} for value, color in steps],
    }


def _override(matcher: str, name: str, key: str, value: object) -> Json:
    return {
        "matcher": {"id": matcher, "options": name},
        "properties": [{"id": key, "value": value}],
    }
