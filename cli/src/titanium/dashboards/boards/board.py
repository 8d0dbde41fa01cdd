"""Grafana dashboards in few words: rows of panels, variables, and the JSON around them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from titanium.dashboards.boards.panels import PROMETHEUS, Json, Panel

COLUMNS = 24
# Grafana 11.6 and 12 write this; newer ones migrate it when they load it.
SCHEMA_VERSION = 41


@dataclass(frozen=True, slots=True)
class Row:
    """A heading with panels below it, `height` grid cells each (a cell is 30 pixels)."""

    title: str
    panels: tuple[Panel, ...]
    height: int = 8


@dataclass(frozen=True, slots=True)
class Board:
    """One dashboard; `uid` is in links and bookmarks and never changes."""

    uid: str
    title: str
    description: str
    variables: tuple[Json, ...]
    rows: tuple[Row, ...]
    since: str = "now-1h"

    def json(self) -> Json:
        """What Grafana imports."""
        return {
            "uid": self.uid,
            "title": self.title,
            "description": self.description,
            "tags": ["titanium"],
            "schemaVersion": SCHEMA_VERSION,
            "version": 1,
            "editable": False,
            "graphTooltip": 1,
            "refresh": "10s",
            "time": {"from": self.since, "to": "now"},
            "timezone": "browser",
            "weekStart": "",
            "fiscalYearStartMonth": 0,
            "liveNow": False,
            "links": [_LINKS],
            "annotations": {"list": [_ALERTS]},
            "templating": {"list": list(self.variables)},
            "panels": list(_place(self.rows)),
        }


_LINKS: Json = {
    "type": "dashboards",
    "title": "Titanium",
    "tags": ["titanium"],
    "asDropdown": True,
    "includeVars": False,
    "keepTime": True,
}

_ALERTS: Json = {
    "name": "Alerts",
    "datasource": PROMETHEUS,
    "enable": True,
    "iconColor": "red",
    "expr": 'ALERTS{alertstate="firing",severity!="info"}',
    "titleFormat": "{{alertname}}",
    "textFormat": "{{service}}",
    "step": "30s",
}


def _place(rows: Iterable[Row]) -> Iterator[Json]:
    """Every row's heading and panels with ids and places: left to right, then the next line."""
    number, y = 0, 0
    for row in rows:
        number += 1
        place = {"x": 0, "y": y, "w": COLUMNS, "h": 1}
        yield {
            "id": number,
            "type": "row",
            "title": row.title,
            "collapsed": False,
            "gridPos": place,
            "panels": [],
        }
        y, x = y + 1, 0
        for panel in row.panels:
            if x + panel.width > COLUMNS:
                x, y = 0, y + row.height
            number += 1
            place = {"x": x, "y": y, "w": panel.width, "h": row.height}
            yield {"id": number, **panel.json, "gridPos": place}
            x += panel.width
        y += row.height


def datasource(name: str = "datasource", kind: str = "prometheus", label: str = "Metrics") -> Json:
    """Which data source of `kind` the panels ask."""
    return {
        "type": "datasource",
        "name": name,
        "label": label,
        "query": kind,
        "current": {},
        "hide": 0,
        "includeAll": False,
        "multi": False,
        "options": [],
        "refresh": 1,
        "regex": "",
    }


def label_values(name: str, label: str, series: str, *, title: str, many: bool) -> Json:
    """The values of `label` in `series`; `many` offers All, which is the choice at first."""
    chosen = {"text": ["All"], "value": ["$__all"]} if many else {}
    query = f"label_values({series}, {label})"
    return {
        "type": "query",
        "name": name,
        "label": title,
        "datasource": PROMETHEUS,
        "definition": query,
        "query": {
            "qryType": 1,
            "query": query,
            "refId": "PrometheusVariableQueryEditor-VariableQuery",
        },
        "current": chosen,
        "hide": 0,
        "includeAll": many,
        "multi": many,
        "options": [],
        "refresh": 2,
        "regex": "",
        "sort": 1,
        **({"allValue": ".+"} if many else {}),
    }


def choices(name: str, title: str, values: tuple[str, ...], *, chosen: str) -> Json:
    """One of a fixed list."""
    options = [{"text": value, "value": value, "selected": value == chosen} for value in values]
    return {
        "type": "custom",
        "name": name,
        "label": title,
        "query": ",".join(values),
        "current": {"text": chosen, "value": chosen},
        "hide": 0,
        "includeAll": False,
        "multi": False,
        "options": options,
    }


def textbox(name: str, title: str) -> Json:
    """Free text, empty at first."""
    return {
        "type": "textbox",
        "name": name,
        "label": title,
        "query": "",
        "current": {"text": "", "value": ""},
        "hide": 0,
        "options": [{"text": "", "value": "", "selected": True}],
    }
