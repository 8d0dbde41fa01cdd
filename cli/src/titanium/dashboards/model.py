"""Reads Grafana's dashboard JSON: what is asked, and how it is to be drawn."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from titanium.errors import ConfigurationError

PROMETHEUS, LOKI, NOTHING = "prometheus", "loki", ""


class DashboardError(ConfigurationError):
    """A dashboard file or one of its expressions cannot be used here; names file and place."""


@dataclass(frozen=True, slots=True)
class Target:
    """One expression of a panel; `source` is the kind of data source, `prometheus` or `loki`."""

    ref: str
    expr: str
    source: str
    legend: str = ""
    instant: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """One rectangle of the grid (24 columns; `y` and `height` in cells of 30 pixels).

    `steps` are the thresholds (from, colour), the first from minus infinity. `overrides` maps a
    series' or column's name to its properties by Grafana's id (`unit`, `color`, `links`, ...).
    """

    id: int
    kind: str
    title: str
    description: str
    x: int
    y: int
    width: int
    height: int
    targets: tuple[Target, ...] = ()
    unit: str = "none"
    minimum: float | None = None
    maximum: float | None = None
    steps: tuple[tuple[float, str], ...] = ()
    overrides: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    custom: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    transformations: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Variable:
    """What a person may choose above the panels.

    `kind` is Grafana's: `datasource`, `query`, `custom`, `textbox`, `constant`. A query asks
    for the values of `label` in `series`. `all_value` replaces the choice All in expressions.
    """

    name: str
    kind: str
    title: str
    series: str = ""
    label: str = ""
    values: tuple[str, ...] = ()
    chosen: str = ""
    include_all: bool = False
    all_value: str = ""


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One file: its panels in reading order and its variables."""

    uid: str
    title: str
    description: str
    panels: tuple[Panel, ...]
    variables: tuple[Variable, ...]
    since: str = "now-1h"


def load_dashboards(folder: Path) -> list[Dashboard]:
    """Every `*.json` of `folder` by title; DashboardError for the first that is not usable."""
    found = [load_dashboard(path) for path in sorted(folder.glob("*.json"))]
    return sorted(found, key=lambda dashboard: dashboard.title)


def load_dashboard(path: Path) -> Dashboard:
    """One dashboard; DashboardError names the file and what is missing in it."""
    try:
        document = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise DashboardError(f"{path.name}: {error.strerror}", "Run `titanium docs`.") from None
    except ValueError as error:
        raise DashboardError(f"{path.name}: not JSON: {error}", "Run `titanium docs`.") from None
    try:
        return _dashboard(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DashboardError(
            f"{path.name}: not a Grafana dashboard: {type(error).__name__} {error}",
            "Export it from Grafana again, or run `titanium docs`.",
        ) from None


def _dashboard(document: Mapping[str, Any]) -> Dashboard:
    panels = [_panel(panel) for panel in _flat(document["panels"])]
    return Dashboard(
        uid=str(document["uid"]),
        title=str(document["title"]),
        description=str(document.get("description", "")),
        panels=tuple(sorted(panels, key=lambda panel: (panel.y, panel.x))),
        variables=tuple(_variable(item) for item in document["templating"]["list"]),
        since=str(document.get("time", {}).get("from", "now-1h")),
    )


def _flat(panels: list[Any]) -> Iterator[Mapping[str, Any]]:
    """A collapsed row keeps its panels inside itself."""
    for panel in panels:
        yield panel
        yield from _flat(panel.get("panels", []))


def _panel(panel: Mapping[str, Any]) -> Panel:
    config = panel.get("fieldConfig", {})
    defaults = config.get("defaults", {})
    place = panel["gridPos"]
    kind = panel.get("datasource", {})
    return Panel(
        id=int(panel["id"]),
        kind=str(panel["type"]),
        title=str(panel.get("title", "")),
        description=str(panel.get("description", "")),
        x=int(place["x"]),
        y=int(place["y"]),
        width=int(place["w"]),
        height=int(place["h"]),
        targets=tuple(_target(target, kind) for target in panel.get("targets", [])),
        unit=str(defaults.get("unit", "none")),
        minimum=defaults.get("min"),
        maximum=defaults.get("max"),
        steps=_steps(defaults.get("thresholds")),
        overrides=_overrides(config.get("overrides", [])),
        custom=defaults.get("custom", {}),
        options=panel.get("options", {}),
        transformations={
            item["id"]: item.get("options", {}) for item in panel.get("transformations", [])
        },
    )


def _target(target: Mapping[str, Any], source: Mapping[str, Any]) -> Target:
    return Target(
        ref=str(target["refId"]),
        expr=str(target["expr"]),
        source=str(target.get("datasource", source).get("type", PROMETHEUS)),
        legend=str(target.get("legendFormat", "")),
        instant=bool(target.get("instant", False)),
    )


def _steps(thresholds: Mapping[str, Any] | None) -> tuple[tuple[float, str], ...]:
    return tuple(
        (float("-inf") if step["value"] is None else float(step["value"]), str(step["color"]))
        for step in (thresholds or {}).get("steps", [])
    )


def _overrides(items: list[Any]) -> dict[str, dict[str, Any]]:
    """Properties by name; two overrides of one name are one here."""
    found: dict[str, dict[str, Any]] = {}
    for item in items:
        if item["matcher"]["id"] == "byName":
            properties = {part["id"]: part["value"] for part in item["properties"]}
            if "thresholds" in properties:
                properties["thresholds"] = _steps(properties["thresholds"])
            found.setdefault(str(item["matcher"]["options"]), {}).update(properties)
    return found


def _variable(item: Mapping[str, Any]) -> Variable:
    kind, chosen = str(item["type"]), item.get("current", {}).get("value", "")
    query = item.get("query", "")
    series = label = ""
    if kind == "query":
        text = str(query["query"] if isinstance(query, dict) else query)
        if not (text.startswith("label_values(") and text.endswith(")") and "," in text):
            raise ValueError(
                f"variable {item['name']}: only label_values(series, label), not {text}"
            )
        series, _, label = text.removeprefix("label_values(").removesuffix(")").rpartition(",")
    return Variable(
        name=str(item["name"]),
        kind=kind,
        title=str(item.get("label") or item["name"]),
        series=series.strip(),
        label=label.strip(),
        values=tuple(query.split(",")) if kind == "custom" else (),
        chosen=str(chosen[0] if isinstance(chosen, list) and chosen else chosen or ""),
        include_all=bool(item.get("includeAll", False)),
        all_value=str(item.get("allValue") or ".*"),
    )
