"""A table for the terminal: each resource with its lines, modules, total, what to know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from titanium.cost.model import Priced, dollars
from titanium.cost.show.report import Report, change_in_words, price_of, quantity_of, signed

Row = tuple[str, str, str, str]
HEAD: Row = ("Name", "Quantity", "Unit", "Monthly cost")
_GAP = "  "


def render(report: Report) -> str:
    """Plain text, aligned, without colours: it may go into a file."""
    rows = [HEAD, *(row for one in report.estimate.priced for row in _rows(one))]
    parts = [f"{report.name}", "", *_aligned(rows), "", *_modules(report), "", *_summary(report)]
    return "\n".join(parts) + "\n"


def _rows(priced: Priced) -> Iterator[Row]:
    yield priced.resource.address, "", "", dollars(priced.monthly)
    for at, component in enumerate(priced.components):
        branch = "└─" if at == len(priced.components) - 1 else "├─"
        cost = component.cost
        shown = f"by usage: {price_of(component)}" if cost is None else dollars(cost)
        yield f"{branch} {component.name}", quantity_of(component), component.unit, shown


def _aligned(rows: Sequence[Row]) -> Iterator[str]:
    width = [max(len(row[at]) for row in rows) for at in range(4)]
    for row in rows:
        cells = (
            row[0].ljust(width[0]),
            row[1].rjust(width[1]),
            row[2].ljust(width[2]),
            row[3].rjust(width[3]),
        )
        yield _GAP.join(cells).rstrip()


def _modules(report: Report) -> Iterator[str]:
    groups = {name: dollars(cost) for name, cost in report.estimate.by_group().items()}
    total = dollars(report.estimate.total)
    name = max((len(one) for one in (*groups, "TOTAL A MONTH")), default=0)
    cost = max(len(one) for one in (*groups.values(), total))
    for group, amount in groups.items():
        yield f"{group.ljust(name)}{_GAP}{amount.rjust(cost)}"
    yield f"{'TOTAL A MONTH'.ljust(name)}{_GAP}{total.rjust(cost)}"


def _summary(report: Report) -> Iterator[str]:
    estimate = report.estimate
    yield f"{len(estimate.priced)} resources with a price, {len(estimate.free)} free"
    if report.actions:
        yield report.actions
    if report.comparison is not None:
        yield change_in_words(report.comparison)
        for change in report.comparison.changes:
            mark = "+" if change.before is None else "-" if change.after is None else "~"
            yield f"  {mark} {change.address}  {signed(change.difference)}"
    if report.verdict:
        yield report.verdict
    yield from (f"note: {remark}" for remark in report.remarks)
