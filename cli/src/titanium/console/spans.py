"""Traces as HTML: the list, and the waterfall of one. Names and attributes are hostile text."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from titanium.console.widgets import COLORS, ago, badge, clock, duration, esc, link, table
from titanium.layout import GATEWAY
from titanium.traces import Row, Span, Trace, TraceSummary, times_by_service

MOST_ROWS = 400
_TICKS = 4


def trace_table(traces: Sequence[TraceSummary], now: float) -> str:
    longest = max((trace.duration_ms for trace in traces), default=0.0) or 1.0
    return table(
        ("Began", "Request", "First", "Services", ">Spans", ">Duration", "", ""),
        (
            (
                f'<span class="mono" title="{clock(one.start)}">{esc(ago(one.start, now))}</span>',
                link(f"/traces/{one.trace_id}", one.name or "(no name)"),
                esc(one.service),
                esc(", ".join(one.services)),
                str(one.spans),
                esc(duration(one.duration_ms / 1000)),
                _meter(_share(one.duration_ms, longest)),
                badge("error", f"{one.errors} failed") if one.errors else "",
            )
            for one in traces
        ),
        "No trace matches. One request in a hundred is traced; “Trace a request” traces one now.",
        kind="traces",
    )


def _meter(share: str) -> str:
    return f'<span class="meter"><i style="width:{share}"></i></span>'


def waterfall_html(trace: Trace, rows: Sequence[Row], chosen: str) -> str:
    """The picture: a row a span, `chosen` is the id of the one whose members are shown."""
    total = max((row.offset_ms + row.duration_ms for row in rows), default=0.0) or 1.0
    colors = service_colors(rows)
    body = "".join(_row(row, total, colors, chosen) for row in rows[:MOST_ROWS])
    notes = []
    if len(rows) > MOST_ROWS:
        notes.append(f"{len(rows) - MOST_ROWS:,} more spans are not drawn.")
    if trace.dropped:
        notes.append(f"{trace.dropped:,} spans were too many to keep.")
    if any(row.orphan for row in rows):
        notes.append("Dashed: the caller's span has not arrived (yet).")
    if any(row.shift_ms for row in rows):
        notes.append("Some spans were moved: their clock and their caller's disagree.")
    ticks = "".join(
        f'<span style="left:{100 * n / _TICKS:.0f}%">'
        f"{esc(duration(total * n / _TICKS / 1000))}</span>"
        for n in range(_TICKS + 1)
    )
    return (
        f'<div class="waterfall" role="list"><div class="ticks"><div></div><div>{ticks}</div></div>'
        f'{body}</div><p class="quiet small">{esc(" ".join(notes))}</p>'
    )


def service_colors(rows: Sequence[Row]) -> dict[str, str]:
    names = list(dict.fromkeys(row.span.service for row in rows))
    return {name: COLORS[number % len(COLORS)] for number, name in enumerate(names)}


def _row(row: Row, total: float, colors: dict[str, str], chosen: str) -> str:
    span = row.span
    kinds = ["span"]
    kinds += ["error"] if row.error else []
    kinds += ["orphan"] if row.orphan else []
    kinds += ["critical"] if row.critical else []
    kinds += ["chosen"] if span.span_id == chosen else []
    who = _who(span)
    took = duration(row.duration_ms / 1000)
    words = f"{who}, {span.name}, {took}" + (", failed" if row.error else "")
    left = 100 * row.offset_ms / total
    return (
        f'<div class="{" ".join(kinds)}" role="listitem" tabindex="0" data-action="span" '
        f'data-value="{esc(span.span_id)}" aria-label="{esc(words)}">'
        f'<div class="name" style="padding-left:{min(row.depth, 24) * 14}px">'
        f'<i style="background:{colors[span.service]}"></i><b>{esc(who)}</b> '
        f'<span class="kind">{esc(span.kind)}</span> {esc(span.name)}</div>'
        f'<div class="lane"><div class="bar" style="left:{min(left, 99.7):.3f}%;'
        f'width:{_share(row.duration_ms, total)};background:{colors[span.service]}"></div>'
        f'<span class="took" style="{_label(left, 100 * row.duration_ms / total)}">{esc(took)}'
        "</span></div></div>"
    )


def _who(span: Span) -> str:
    """The process that made a span: `gateway`, `blog-0`, `blog-0 sidecar`."""
    instance = str(span.attributes.get("service.instance.id", ""))[:80]
    who = instance if instance.startswith(span.service) else span.service
    proxy = span.attributes.get("component") == "proxy" and span.service != GATEWAY
    return f"{who} sidecar" if proxy else who


def _label(left: float, width: float) -> str:
    """Where the time is written: behind the bar; where no room is left before it, or in it."""
    end = left + width
    if end < 85:
        return f"left:{end:.3f}%"
    if left > 15:
        return f"right:{100 - left:.3f}%"
    return f"right:{max(0.0, 100 - end):.3f}%;color:#fff"


def _share(part: float, whole: float) -> str:
    return f"{min(100.0, max(0.0, 100 * part / whole)):.3f}%"


def breakdown(rows: Sequence[Row]) -> str:
    """Where the request's time went, by service."""
    times = times_by_service(rows)
    total = sum(times.values()) or 1.0
    colors = service_colors(rows)
    parts = [(name, time) for name, time in times.items() if time > 0]
    bar = "".join(
        f'<i style="width:{_share(time, total)};background:{colors[name]}" title="{esc(name)}"></i>'
        for name, time in parts
    )
    legend = "".join(
        f'<span><i style="background:{colors[name]}"></i>{esc(name)} {esc(duration(time / 1000))} '
        f"({100 * time / total:.0f} %)</span>"
        for name, time in parts
    )
    return f'<div class="breakdown"><div class="stacked">{bar}</div><p>{legend}</p></div>'


def span_facts(span: Span, row: Row) -> str:
    """Everything that one span says."""
    pairs = [
        ("span", span.span_id),
        ("parent", span.parent_id or "none"),
        ("service", span.service),
        ("kind", span.kind),
        ("status", "error" if row.error else span.status),
        ("begins", f"{duration(row.offset_ms / 1000)} after the first"),
        ("takes", duration(row.duration_ms / 1000)),
        ("itself", f"{duration(row.self_ms / 1000)} without its children"),
        *((name, _value(value)) for name, value in span.attributes.items()),
    ]
    body = "".join(f"<dt>{esc(name)}</dt><dd>{esc(value)}</dd>" for name, value in pairs)
    events = table(
        (">After", "Event", "Attributes"),
        (
            (
                esc(duration(max(0, event.time_ns - span.start_ns) / 1e9)),
                esc(event.name),
                esc(", ".join(f"{k}={_value(v)}" for k, v in event.attributes.items())),
            )
            for event in span.events
        ),
    )
    return (
        f'<h3>{esc(span.name)}</h3><dl class="facts mono">{body}</dl>'
        f"{events if span.events else ''}"
    )


def _value(value: object) -> str:
    text = str(value)
    return text if len(text) <= 2000 else f"{text[:2000]}…"


def log_links(trace: Trace) -> str:
    """Links to the lines of this trace, by its request's id (which every log has) if known."""
    links = []
    for span in trace.spans:
        request = span.attributes.get("guid:x-request-id")
        if isinstance(request, str) and request:
            links.append(
                link(f"/logs?request_id={quote(request, safe='')}", "Logs of this request")
            )
            break
    links.append(link(f"/logs?trace_id={trace.trace_id}", "Logs of this trace"))
    return " · ".join(links)
