"""Puts chosen values into an expression: `$service`, `${service}`, `[[service]]`, `$__interval`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from titanium.dashboards.model import DashboardError, Variable

ALL = "$__all"
# Seconds between two scrapes: a rate needs at least two of them, and room for a missed one.
SCRAPE_INTERVAL = 5
_POINTS = 240
_REFERENCE = re.compile(
    r"\$\{(?P<braced>\w+)(?::(?P<format>\w+))?\}"
    r"|\[\[(?P<old>\w+)(?::\w+)?\]\]"
    r"|\$(?P<plain>[A-Za-z_]\w*)"
)
_REGEX_SIGNS = re.compile(r"([\\^$.*+?()\[\]{}|])")


@dataclass(frozen=True, slots=True)
class Range:
    """What is looked at: epoch seconds, and the seconds between two points."""

    start: float
    end: float
    step: float

    @classmethod
    def last(cls, seconds: float, now: float) -> Range:
        """The last `seconds`, on whole steps so that a refresh keeps the points it has."""
        step = max(SCRAPE_INTERVAL, round(seconds / _POINTS))
        end = now // step * step
        return cls(end - seconds // step * step, end, step)

    @property
    def seconds(self) -> float:
        return self.end - self.start


def interpolate(
    text: str, choices: Mapping[str, Sequence[str]], variables: Sequence[Variable], span: Range
) -> str:
    """`text` with every variable replaced; DashboardError for one that does not exist.

    Several values, and All, become a regular expression, as Grafana does it: they belong
    behind `=~`. One value is escaped as the inside of a string in quotes.
    """
    known = {variable.name: variable for variable in variables}
    built_in = _built_in(span)

    def replace(match: re.Match[str]) -> str:
        name = match["braced"] or match["old"] or match["plain"]
        if name in built_in:
            return built_in[name]
        if name not in known:
            raise DashboardError(
                f"there is no variable ${name} in this dashboard",
                "Add it to the dashboard, or correct the expression.",
            )
        return _value(choices.get(name, ()), known[name], match["format"])

    return _REFERENCE.sub(replace, text)


def _value(chosen: Sequence[str], variable: Variable, style: str | None) -> str:
    values = list(chosen) or [variable.chosen]
    if ALL in values:
        return variable.all_value
    if style == "raw":
        return ",".join(values)
    if len(values) == 1 and not variable.include_all and style != "regex":
        return _quoted(values[0])
    patterns = [_quoted(_REGEX_SIGNS.sub(r"\\\1", value)) for value in values]
    return patterns[0] if len(patterns) == 1 else f"({'|'.join(patterns)})"


def _quoted(text: str) -> str:
    """As the inside of a double-quoted string of PromQL or LogQL."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _built_in(span: Range) -> dict[str, str]:
    interval = max(1, round(span.step))
    return {
        "__interval": f"{interval}s",
        "__auto": f"{interval}s",
        "__interval_ms": str(interval * 1000),
        "__rate_interval": f"{max(interval + SCRAPE_INTERVAL, 4 * SCRAPE_INTERVAL)}s",
        "__range": f"{round(span.seconds)}s",
        "__range_s": str(round(span.seconds)),
    }
