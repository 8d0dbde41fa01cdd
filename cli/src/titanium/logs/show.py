"""Log lines for people and for programs."""

from __future__ import annotations

import re
from datetime import datetime

import click
import orjson

from titanium.logs.model import Line
from titanium.logs.parse import as_text

# What a log holds may come from anybody: a terminal must not obey it.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_COLOURS = {"debug": "bright_black", "warning": "yellow", "error": "red", "critical": "magenta"}
# Said already, by the name of the process or by the event's own words.
_LEFT_OUT = frozenset(("instance", "logger", "traceparent"))
_LONGEST_VALUE = 2000


def printable(text: str) -> str:
    """The text in one line, with every control character written as an escape."""
    return _CONTROLS.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()


def readable(line: Line, width: int) -> str:
    """Time, level, process, event and members, coloured: one line of a terminal (or several)."""
    moment = datetime.fromtimestamp(line.ts).astimezone()
    today = moment.date() == datetime.now(moment.tzinfo).date()
    clock = moment.strftime("%H:%M:%S.%f" if today else "%Y-%m-%d %H:%M:%S.%f")[:-3]
    pairs = [
        f"{click.style(printable(name), fg='cyan')}={_value(value)}"
        for name, value in (*line.fields.items(), ("request_id", line.request_id))
        if name not in _LEFT_OUT and value not in (None, "")
    ]
    parts = [
        click.style(clock, fg="bright_black"),
        click.style(f"{line.level:<8}", fg=_COLOURS.get(line.level), bold=line.level == "critical"),
        click.style(f"{printable(line.process):<{width}}", fg="blue"),
        click.style(_cut(printable(line.event)), bold=bool(line.fields)),
        *pairs,
    ]
    return " ".join(parts)


def _value(value: object) -> str:
    text = _cut(printable(as_text(value)))
    return orjson.dumps(text).decode() if " " in text or not text else text


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


def as_json(line: Line) -> str:
    """The line as it was written if that is a JSON object; otherwise an object made of it."""
    if line.raw.startswith("{"):
        try:
            if isinstance(orjson.loads(line.raw), dict):
                return line.raw
        except orjson.JSONDecodeError:
            pass
    members = {
        "ts": datetime.fromtimestamp(line.ts).astimezone().isoformat(timespec="milliseconds"),
        "level": line.level,
        "service": line.service,
        "process": line.process,
        "event": line.event,
        **{name: value for name, value in line.fields.items() if name not in _OWN},
    }
    try:
        return orjson.dumps(members).decode()
    except TypeError:
        # Nested too deeply, or a number of more than 64 bits.
        return orjson.dumps({name: as_text(value) for name, value in members.items()}).decode()


_OWN = frozenset(("ts", "level", "service", "process", "event"))
