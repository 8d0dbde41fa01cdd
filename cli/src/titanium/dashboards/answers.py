"""Asks the data sources of a run what a panel shows."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from titanium.console.prometheus import Prometheus, Series
from titanium.dashboards import logql
from titanium.dashboards.interpolate import Range, interpolate
from titanium.dashboards.model import LOKI, Panel, Target, Variable
from titanium.logs import LEVELS, Line, LogFolder, Query

# A panel of lines shows so many; a count reads so many of the newest and says when it stopped.
MOST_LINES = 200
MOST_COUNTED = 50_000

Choices = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one expression gave: series for a metric, lines (newest last) for a stream.

    `note` says in words what is missing from it.
    """

    target: Target
    series: list[Series] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    note: str = ""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where metrics and log lines come from."""

    prometheus: Prometheus
    logs: LogFolder


async def ask(
    panel: Panel, variables: Sequence[Variable], choices: Choices, span: Range, sources: Sources
) -> list[Answer]:
    """One answer an expression; TitaniumError for the first that cannot be answered."""
    return list(
        await asyncio.gather(
            *(_ask(target, variables, choices, span, sources) for target in panel.targets)
        )
    )


async def _ask(
    target: Target, variables: Sequence[Variable], choices: Choices, span: Range, sources: Sources
) -> Answer:
    expr = interpolate(target.expr, choices, variables, span)
    if target.source == LOKI:
        return await asyncio.to_thread(_read_logs, target, expr, span, sources.logs)
    if target.instant:
        samples = await sources.prometheus.query(expr, span.end)
        series = [Series(sample.labels, [(span.end, sample.value)]) for sample in samples]
    else:
        series = await sources.prometheus.query_range(expr, span.start, span.end, span.step)
    return Answer(target, sorted(series, key=lambda one: sorted(one.labels.items())))


async def values_of(
    variable: Variable,
    choices: Choices,
    variables: Sequence[Variable],
    sources: Sources,
    now: float,
) -> list[str]:
    """What may be chosen, sorted as the dashboard has it; nothing for free text."""
    if variable.kind == "custom":
        return list(variable.values)
    if variable.kind != "query":
        return []
    series = interpolate(variable.series, choices, variables, Range.last(300, now))
    samples = await sources.prometheus.query(f"group by ({variable.label}) ({series})", now)
    found = {sample.labels.get(variable.label, "") for sample in samples}
    return sorted(found - {""})


def _read_logs(target: Target, expr: str, span: Range, folder: LogFolder) -> Answer:
    expression = logql.parse(expr)
    if isinstance(expression, logql.Stream):
        lines, _ = _lines(expression, span.start, span.end + span.step, folder, MOST_LINES)
        return Answer(target, lines=lines)
    lines, complete = _lines(
        expression.stream, span.start - expression.window, span.end, folder, MOST_COUNTED
    )
    series = [
        Series(dict(labels), points)
        for labels, points in logql.count(expression, lines, span).items()
    ]
    note = "" if complete else f"Only the newest {MOST_COUNTED:,} lines are counted."
    return Answer(target, sorted(series, key=lambda one: sorted(one.labels.items())), note=note)


def _lines(
    stream: logql.Stream, since: float, until: float, folder: LogFolder, limit: int
) -> tuple[list[Line], bool]:
    """At most `limit` newest lines of a stream, and whether they are all of them."""
    services = _allowed(stream, "service", folder.services())
    levels = _allowed(stream, "level", LEVELS)
    if not services or not levels:
        return [], True
    texts = [one.value for one in stream.filters if one.op == "|="]
    query = Query(
        services=services,
        levels=levels if len(levels) < len(LEVELS) else frozenset(),
        text=max(texts, key=len, default=""),
        since=since,
        until=until,
    )
    # The search takes the largest part of the conditions; the rest are looked at here.
    rest = len(stream.filters) + len(stream.fields) + len(stream.matchers) > 1
    found = folder.search(query, limit=MOST_COUNTED if rest else limit)
    lines = logql.select(stream, found.lines)
    return lines[-limit:], found.complete and len(lines) <= limit


def _allowed(stream: logql.Stream, label: str, values: Sequence[str]) -> frozenset[str]:
    conditions = [one for one in (*stream.matchers, *stream.fields) if one.label == label]
    return frozenset(
        value for value in values if all(condition.holds(value) for condition in conditions)
    )
