"""One HTML page without scripts and without anything from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from titanium.cost.model import dollars
from titanium.cost.show import chart
from titanium.cost.show.report import Report, change_in_words, price_of, quantity_of, signed

_STYLE = """
:root { color-scheme: light dark }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.4rem } svg { max-width: 100%; height: auto }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 }
td, th { text-align: left; padding: .2rem .6rem; border-bottom: 1px solid #8884 }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
.part td:first-child { padding-left: 1.6rem } .whole { font-weight: 600 }
.over { color: #bc4c00 } code { overflow-wrap: anywhere }
"""


def render(report: Report) -> str:
    title = f"{report.name}: {dollars(report.estimate.total)} a month"
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>",
            f"<h1>{escape(title)}</h1>",
            *_sentences(report),
            chart.render(report),
            *_changes(report),
            *_resources(report),
            "<h2>To know</h2><ul>",
            *(f"<li>{escape(remark)}</li>" for remark in report.remarks),
            "</ul></body></html>\n",
        ]
    )


def _sentences(report: Report) -> Iterator[str]:
    if report.verdict:
        look = ' class="over"' if report.over else ""
        yield f"<p{look}>{escape(report.verdict)}</p>"
    if report.comparison is not None:
        yield f"<p>{escape(change_in_words(report.comparison))}</p>"
    if report.actions:
        yield f"<p>{escape(report.actions)}</p>"


def _changes(report: Report) -> Iterator[str]:
    if report.comparison is None or not report.comparison.changes:
        return
    yield "<table><thead><tr><th>Change</th><th class=n>Before</th><th class=n>After</th>"
    yield "<th class=n>Difference</th></tr></thead><tbody>"
    for change in report.comparison.changes:
        amounts = [
            "" if amount is None else dollars(amount) for amount in (change.before, change.after)
        ]
        cells = "".join(f"<td class=n>{one}</td>" for one in (*amounts, signed(change.difference)))
        yield f"<tr><td><code>{escape(change.address)}</code></td>{cells}</tr>"
    yield "</tbody></table>"


def _resources(report: Report) -> Iterator[str]:
    yield "<table><thead><tr><th>Resource</th><th class=n>Quantity</th><th>Price</th>"
    yield "<th class=n>$ a month</th></tr></thead><tbody>"
    for one in report.estimate.priced:
        yield f"<tr class=whole><td><code>{escape(one.resource.address)}</code></td><td></td>"
        yield f"<td></td><td class=n>{dollars(one.monthly)}</td></tr>"
        for part in one.components:
            cost = "by usage" if part.cost is None else dollars(part.cost)
            quantity = f"{quantity_of(part)} {part.unit}" if part.quantity is not None else ""
            yield f"<tr class=part><td>{escape(part.name)}</td><td class=n>{escape(quantity)}</td>"
            yield f"<td>{escape(price_of(part))}</td><td class=n>{cost}</td></tr>"
    yield "</tbody></table>"
