"""Markdown for a comment on a pull request: the total and its change first, the rest folded."""

from __future__ import annotations

import re
from collections.abc import Iterator

from titanium.cost.model import dollars
from titanium.cost.show.report import Report, change_in_words, price_of, quantity_of, signed

# Whoever updates a comment instead of adding one looks for this.
MARKER = "<!-- titanium cost -->"


def render(report: Report) -> str:
    return "\n".join([MARKER, *_head(report), *_modules(report), *_details(report)]) + "\n"


def _head(report: Report) -> Iterator[str]:
    sign = "❌ " if report.over else ""
    yield f"### {sign}Cost: {dollars(report.estimate.total)} a month"
    yield ""
    for sentence in (
        change_in_words(report.comparison) if report.comparison is not None else "",
        report.verdict,
        report.actions,
    ):
        if sentence:
            yield f"{_escaped(sentence[0].upper() + sentence[1:])}."
            yield ""


def _modules(report: Report) -> Iterator[str]:
    yield "| module | $ a month |"
    yield "|---|--:|"
    for group, cost in report.estimate.by_group().items():
        yield f"| {_escaped(group)} | {dollars(cost)} |"
    yield f"| **total** | **{dollars(report.estimate.total)}** |"
    yield ""


def _details(report: Report) -> Iterator[str]:
    if report.comparison is not None and report.comparison.changes:
        yield "| change | before | after | difference |"
        yield "|---|--:|--:|--:|"
        for change in report.comparison.changes:
            amounts = ("" if one is None else dollars(one) for one in (change.before, change.after))
            before, after = amounts
            yield f"| {_code(change.address)} | {before} | {after} | {signed(change.difference)} |"
        yield ""
    yield "<details><summary>Every resource</summary>"
    yield ""
    yield "| resource | line | quantity | price | $ a month |"
    yield "|---|---|--:|---|--:|"
    for one in report.estimate.priced:
        yield f"| {_code(one.resource.address)} | | | | **{dollars(one.monthly)}** |"
        for part in one.components:
            cost = "by usage" if part.cost is None else dollars(part.cost)
            quantity = f"{quantity_of(part)} {part.unit}" if part.quantity is not None else ""
            yield f"| | {_escaped(part.name)} | {quantity} | {price_of(part)} | {cost} |"
    yield ""
    yield "</details>"
    yield ""
    for remark in report.remarks:
        yield f"- {_escaped(remark)}"


def _escaped(text: str) -> str:
    """Names come from people: they end no cell, open no tag, mention nobody."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_|\[\]@#])", r"\\\1", " ".join(plain.split()))


def _code(text: str) -> str:
    """As code; a back quote or a bar inside would end it."""
    return f"`{' '.join(text.split()).replace('`', chr(39)).replace('|', '¦')}`"
