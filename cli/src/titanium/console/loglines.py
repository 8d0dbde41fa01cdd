"""Log lines as HTML. Everything in a line may come from an attacker: all of it is escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from urllib.parse import quote

from titanium.console.widgets import esc, link
from titanium.logs import Line
from titanium.logs.parse import as_text
from titanium.logs.show import printable

_SHORT = 300
_LONG = 4000
_MOST_FIELDS = 60
# Characters of members that are sent with all lines of a page, and with one line.
_PAGE, _LEAST, _MOST = 4_000_000, 1_000, 16_000
_HEX = re.compile(r"[0-9a-f]{32}")
# What says most of a request comes first.
_FIRST = ("method", "path", "status", "duration_ms", "error", "step", "remark")
# Said by other columns.
_LEFT_OUT = ("instance", "logger", "traceparent", "ts", "level")


def rows(lines: Iterable[Line]) -> str:
    """One `details` a line: its summary is the line, inside are all of its members."""
    chosen = list(lines)
    room = min(_MOST, max(_LEAST, _PAGE // max(1, len(chosen))))
    return "".join(_row(line, room) for line in chosen)


def _row(line: Line, room: int) -> str:
    moment = datetime.fromtimestamp(line.ts).astimezone()
    first = {name: line.fields[name] for name in _FIRST if name in line.fields}
    brief = " ".join(
        f"<i>{esc(name)}</i>={esc(_cut(as_text(value), 80))}"
        for name, value in list({**first, **line.fields}.items())[:12]
        if name not in _LEFT_OUT and value not in (None, "")
    )
    return (
        f'<details class="log {esc(line.level)}"><summary>'
        f'<time title="{esc(moment.isoformat(timespec="milliseconds"))}">'
        f"{_clock(moment)}</time>"
        f'<b class="level">{esc(line.level)}</b>'
        f'<span class="process">{esc(line.process)}</span>'
        f'<span class="event">{esc(_cut(line.event, _SHORT))} <small>{brief}</small></span>'
        f"</summary>{_members(line, moment, room)}</details>"
    )


def _clock(moment: datetime) -> str:
    if moment.date() != datetime.now(moment.tzinfo).date():
        return moment.strftime("%d %b %H:%M")
    return f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03}"


def _members(line: Line, moment: datetime, room: int) -> str:
    """All members of the line, as far as they fit into `room` characters."""
    pairs = [
        ("ts", esc(moment.isoformat(timespec="milliseconds"))),
        ("service", link(f"/services/{quote(line.service, safe='')}", line.service)),
        ("event", f"<pre>{esc(_cut(line.event, min(_LONG, room)))}</pre>"),
    ]
    if line.request_id:
        pairs.append(("request_id", _linked("request_id", line.request_id)))
    if line.trace_id:
        trace = _linked("trace_id", line.trace_id)
        if _HEX.fullmatch(line.trace_id):
            trace += f" {link(f'/traces/{line.trace_id}', 'Trace', 'more')}"
        pairs.append(("trace_id", trace))
    left = len(line.fields)
    for name, value in list(line.fields.items())[:_MOST_FIELDS]:
        if room <= 0:
            break
        shown = _cut(as_text(value), min(_LONG, room))
        pairs.append((name, esc(shown)))
        room -= len(shown)
        left -= 1
    if left:
        pairs.append(("…", f"{left} more members"))
    body = "".join(f"<dt>{esc(_cut(name, 100))}</dt><dd>{value}</dd>" for name, value in pairs)
    return f'<dl class="facts mono">{body}</dl>'


def _linked(name: str, value: str) -> str:
    """The value, leading to all lines that have it."""
    shown = _cut(value, 200)
    return link(f"/logs?{name}={quote(value[:500], safe='')}", shown)


def _cut(text: str, most: int) -> str:
    if len(text) > most:
        return f"{printable(text[:most])}… ({len(text):,} characters)"
    # A stack trace keeps its lines.
    return text if most >= _LEAST else printable(text)
