"""The cost by module as a bar chart in SVG, the budget as a mark on the total."""

from __future__ import annotations

from decimal import Decimal

from titanium.bench.chart import Bar, draw
from titanium.cost.model import dollars
from titanium.cost.show.report import Report

_MOST_LETTERS = 19  # as many as stand to the left of the bars


def render(report: Report) -> str:
    """A bar for the total, one for each module of the root; shares of total or budget."""
    total = report.estimate.total
    full = max(total, report.budget or Decimal(0)) or Decimal(1)
    bars = [
        Bar(
            "total",
            float(total / full),
            dollars(total),
            None if report.budget is None else float(report.budget / full),
            look="missed" if report.over else "bar",
        )
    ]
    for group, cost in report.estimate.by_group().items():
        share = f"{cost / total:.0%}" if total else ""
        text = f"{dollars(cost)}  {share}".rstrip()
        bars.append(Bar(_short(group), float(cost / full), text, look="bar"))
    note = report.verdict or f"prices of {report.estimate.catalog}"
    return draw(f"{report.name}: {dollars(total)} a month", note, bars)


def _short(name: str) -> str:
    return name if len(name) <= _MOST_LETTERS else f"{name[: _MOST_LETTERS - 1]}…"
