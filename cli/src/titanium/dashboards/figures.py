"""Numbers with Grafana's units, for people and for charts; thresholds as colours."""

from __future__ import annotations

import math
from dataclasses import dataclass

from titanium.console.widgets import duration, number, percent, size
from titanium.dashboards.model import DashboardError

# Grafana's names of colours that its dashboards here use: readable on light and dark.
COLORS = {
    "green": "#16a34a",
    "dark-green": "#15803d",
    "blue": "#3b82f6",
    "yellow": "#ca8a04",
    "orange": "#d97706",
    "red": "#dc2626",
    "dark-red": "#991b1b",
    "purple": "#a855f7",
    "text": "#848d97",
}


@dataclass(frozen=True, slots=True)
class Unit:
    """`kind` is what the browser's formatter knows (`s`, `ratio`, `bytes`, a suffix, or nothing);
    `scale` turns a value into that."""

    kind: str
    scale: float = 1.0


_UNITS = {
    "none": Unit(""),
    "short": Unit(""),
    "s": Unit("s"),
    "ms": Unit("s", 0.001),
    "dtdurations": Unit("duration"),
    "percentunit": Unit("ratio"),
    "percent": Unit("ratio", 0.01),
    "bytes": Unit("bytes"),
    "decbytes": Unit("bytes"),
    "Bps": Unit("bytes"),
    "reqps": Unit("/s"),
    "ops": Unit("/s"),
    "cps": Unit("/s"),
}


def unit_of(name: str) -> Unit:
    """DashboardError for a unit that is not drawn here."""
    if name not in _UNITS:
        raise DashboardError(
            f"the unit {name!r} is not known here", f"Use one of {', '.join(sorted(_UNITS))}."
        )
    return _UNITS[name]


def written(value: float | None, unit: str) -> str:
    """`0.0042` of unit `s` is `4.2 ms`; what is not a number is `–`."""
    kind = unit_of(unit)
    if value is None or not math.isfinite(value):
        return "–"
    value *= kind.scale
    if kind.kind in ("s", "duration"):
        return "0" if value == 0 else f"-{duration(-value)}" if value < 0 else duration(value)
    if kind.kind == "ratio":
        return percent(value, 2 if abs(value) < 0.1 else 1)
    if kind.kind == "bytes":
        return f"{size(value)}/s" if unit == "Bps" else size(value)
    return f"{number(value)} {kind.kind}".rstrip()


def color_of(value: float | None, steps: tuple[tuple[float, str], ...]) -> str:
    """The colour of the highest threshold that is reached; grey without a value."""
    if value is None or not math.isfinite(value):
        return COLORS["text"]
    reached = [color for start, color in steps if value >= start]
    return named_color(reached[-1]) if reached else COLORS["text"]


def named_color(name: str) -> str:
    """A name of Grafana's or a colour of CSS (`#rrggbb`)."""
    return name if name.startswith("#") else COLORS.get(name, COLORS["text"])
