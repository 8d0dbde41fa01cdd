"""One line of any log that a run writes, taken apart; no line raises.

Known: JSON objects (apps, Envoy, the supervisor), PostgreSQL's and Valkey's own formats,
Envoy's text format, logfmt (Prometheus, Alertmanager). Anything else is text.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from titanium.logs.model import Line, service_of

_LEVELS = {
    **dict.fromkeys(("trace", "debug", "debug1", "debug2", "debug3", "debug4", "debug5"), "debug"),
    **dict.fromkeys(("info", "notice", "log", "statement", "detail", "hint", "context"), "info"),
    **dict.fromkeys(("warning", "warn"), "warning"),
    **dict.fromkeys(("error", "err"), "error"),
    **dict.fromkeys(("critical", "crit", "fatal", "panic", "alert", "emerg"), "critical"),
}
_VALKEY_LEVELS = {".": "debug", "-": "debug", "*": "info", "#": "warning"}
# A word that begins a line without a level of its own and says that something failed.
_FAILURE = re.compile(r"Traceback \(most recent|(?:\w+\.)*\w*Error\b|error:|ERROR|FATAL|panic:")
# Lowercase words, one of which is in every line that _guess_level calls an error.
_FAILURE_WORDS = (b"traceback", b"error", b"fatal", b"panic")
_NUMBERS = 4_102_444_800.0  # the year 2100: greater numbers are no times

_POSTGRES = re.compile(
    r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d\.\d+) UTC \[(\d+)\] "
    r"(?:(\S{0,63})@(\S{0,63}) )?([A-Z]+\d?):  ?(.*)",
    re.ASCII | re.DOTALL,
)
_VALKEY = re.compile(
    r"(\d+):([A-Z]) (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d)\.(\d{3}) ([.*#-]) (.*)",
    re.ASCII | re.DOTALL,
)
_VALKEY_SIGNAL = re.compile(r"(\d+):signal-handler \((\d+)\) (.*)", re.ASCII | re.DOTALL)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ENVOY = re.compile(
    r"\[(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d\.\d+)\]\[(\d+)\]\[(\w+)\]\[([\w.]+)\] ?(.*)",
    re.ASCII | re.DOTALL,
)
_LOGFMT = 64 * 1024
_PAIR = re.compile(r'([A-Za-z_][\w.-]{0,63})=("(?:[^"\\]|\\.)*"|[^\s"]*)', re.ASCII)
# Of a JSON object that is cut short or damaged: what can still be read.
_MEMBER = re.compile(r'"(ts|level|event|request_id|trace_id)": ?"((?:[^"\\]|\\.){0,500})"')
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(slots=True)
class Parsed:
    """A line on its way to a Line; `ts` None when it says no time, `level` "" when no level."""

    ts: float | None
    level: str
    event: str
    fields: dict[str, Any]
    request_id: str = ""
    trace_id: str = ""


def parse(raw: bytes, process: str, default_ts: float) -> Line:
    """The line (without its line break) of a process's log; `default_ts` if it has no time."""
    text = raw.decode("utf-8", "replace")
    found = dissect(text)
    return Line(
        ts=default_ts if found.ts is None else found.ts,
        level=found.level or _guess_level(text),
        service=service_of(process),
        process=process,
        event=found.event,
        request_id=found.request_id,
        trace_id=found.trace_id,
        fields=found.fields,
        raw=text,
    )


def dissect(text: str) -> Parsed:
    """What a line says of itself."""
    if text.startswith("{"):
        return _json(text)
    if text[:1].isdigit():
        return _postgres(text) or _valkey(text) or Parsed(None, "", text, {})
    if text.startswith("["):
        return _envoy(text) or Parsed(None, "", text, {})
    return _logfmt(text) or Parsed(None, "", text, {})


def instant(value: object) -> float | None:
    """Seconds since the epoch of an RFC 3339 text (or of such a number); None for all else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value) if 0 <= value < _NUMBERS and math.isfinite(value) else None
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        seconds = moment.timestamp()
    except (OverflowError, ValueError, OSError):
        return None
    return seconds if 0 <= seconds < _NUMBERS else None


def level_of(value: object) -> str:
    """One of LEVELS; "" when the value names none."""
    return _LEVELS.get(value.lower(), "") if isinstance(value, str) and len(value) < 20 else ""


def words_of(levels: frozenset[str]) -> tuple[bytes, ...]:
    """Lowercase words, one of which is in every line of these levels; () when there are none."""
    if not levels or "info" in levels:
        return ()
    words = {name.encode() for name, level in _LEVELS.items() if level in levels}
    words |= {f" {mark} ".encode() for mark, level in _VALKEY_LEVELS.items() if level in levels}
    if "error" in levels:
        words |= set(_FAILURE_WORDS)
    if "warning" in levels:
        words.add(b"signal-handler")
    # A word that another one is part of finds nothing new.
    return tuple(w for w in sorted(words) if not any(o in w and o != w for o in words))


def _guess_level(text: str) -> str:
    return "error" if _FAILURE.match(text[:200]) else "info"


def _json(text: str) -> Parsed:
    members = _load(text)
    if members is None:
        found = {match[1]: match[2] for match in _MEMBER.finditer(text[:4096])}
        return _from_members(found, {}, text)
    return _from_members(members, members, text)


def _load(text: str) -> dict[str, Any] | None:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        try:
            # Python's reader knows NaN and lone surrogates; the latter cannot be shown.
            kept = json.dumps(json.loads(text), ensure_ascii=False).encode("utf-8", "replace")
            value = json.loads(kept)
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, dict) else None


_OWN = ("ts", "level", "service", "event", "request_id", "trace_id")


def _from_members(found: dict[str, Any], members: dict[str, Any], text: str) -> Parsed:
    event = found.get("event", found.get("msg", found.get("message")))
    fields = {name: value for name, value in members.items() if name not in _OWN}
    if "event" not in found and event is not None:
        fields.pop("msg" if "msg" in found else "message", None)
    return Parsed(
        ts=instant(found.get("ts", found.get("time"))),
        level=level_of(found.get("level")),
        event=text if event is None else as_text(event),
        fields=fields,
        request_id=as_text(found.get("request_id")),
        trace_id=_trace(found),
    )


def as_text(value: object) -> str:
    """A member's value in one line: text as it is, None as "", anything else as JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    try:
        return json.dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError):
        return "(nested too deeply)"


def _trace(members: dict[str, Any]) -> str:
    if trace := members.get("trace_id"):
        return as_text(trace)
    parent = members.get("traceparent")
    found = _TRACEPARENT.fullmatch(parent) if isinstance(parent, str) else None
    return found[1] if found else ""


def _postgres(text: str) -> Parsed | None:
    if (found := _POSTGRES.fullmatch(text)) is None:
        return None
    day, time, pid, user, database, level, event = found.groups()
    fields: dict[str, Any] = {"pid": int(pid[:18])}
    if user is not None:
        fields |= {"user": user, "database": database}
    return Parsed(instant(f"{day}T{time}Z"), level_of(level), event, fields)


def _valkey(text: str) -> Parsed | None:
    if (found := _VALKEY_SIGNAL.fullmatch(text)) is not None:
        return Parsed(instant(int(found[2][:18])), "warning", found[3], {"pid": int(found[1][:18])})
    if (found := _VALKEY.fullmatch(text)) is None:
        return None
    pid, role, day, month, year, hour, minute, second, millis, mark, event = found.groups()
    try:
        # It writes local time and does not say which; we run on the same machine.
        moment = datetime(  # noqa: DTZ001
            *(int(year), _MONTHS.index(month) + 1, int(day)),
            *(int(hour), int(minute), int(second), int(millis) * 1000),
        ).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
    fields = {"pid": int(pid[:18]), "role": role}
    return Parsed(moment, _VALKEY_LEVELS[mark], event, fields)


def _envoy(text: str) -> Parsed | None:
    if (found := _ENVOY.fullmatch(text)) is None:
        return None
    time, _, level, component, event = found.groups()
    return Parsed(instant(time), level_of(level), event, {"logger": component})


def _logfmt(text: str) -> Parsed | None:
    if not text.startswith(("ts=", "time=", "level=", "caller=")):
        return None
    members = {match[1]: _unquote(match[2]) for match in _PAIR.finditer(text[:_LOGFMT])}
    if "msg" not in members and "level" not in members:
        return None
    return _from_members(members, members, text)


def _unquote(value: str) -> str:
    if not value.startswith('"'):
        return value
    try:
        return str(orjson.loads(value))
    except orjson.JSONDecodeError:
        return value[1:-1]
