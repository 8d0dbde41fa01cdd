"""A small part of LogQL, answered from the log files of a local run.

Streams: `{service="blog",level=~"warn.*"}` with `|=`, `!=`, `|~`, `!~`, `| json`, and then
`| status="500"` (`!=`, `=~`, `!~`). Counts: `count_over_time(STREAM [1m])`, `rate(...)`, and
`sum by (level) (...)` or `sum(...)` around them. Anything else is refused by name.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from titanium.dashboards.interpolate import Range
from titanium.dashboards.model import DashboardError
from titanium.logs import Line

_LABELS = ("service", "level", "process")
_TOKEN = re.compile(
    r"""\s*(?:(?P<string>"(?:[^"\\]|\\.)*"|`[^`]*`)|(?P<duration>\d+(?:ms|[smhd]))|(?P<word>[A-Za-z_]\w*)
        |(?P<sign>\|=|\|~|!=|!~|=~|[{}()\[\],=|]))""",
    re.VERBOSE,
)
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_LONGEST_PATTERN = 1000


@dataclass(frozen=True, slots=True)
class Matcher:
    """`label OP value`; a label that a line does not have is empty."""

    label: str
    op: str
    value: str
    pattern: re.Pattern[str] | None = None

    def holds(self, text: str) -> bool:
        found = self.pattern.fullmatch(text) is not None if self.pattern else text == self.value
        return found != self.op.startswith("!")


@dataclass(frozen=True, slots=True)
class LineFilter:
    """`|= "text"` and its relatives, over the line as written."""

    op: str
    value: str
    pattern: re.Pattern[str] | None = None

    def holds(self, raw: str) -> bool:
        found = self.pattern.search(raw) is not None if self.pattern else self.value in raw
        return found != self.op.startswith("!")


@dataclass(frozen=True, slots=True)
class Stream:
    """Which lines; `fields` may name members of the line only after `| json`."""

    matchers: tuple[Matcher, ...]
    filters: tuple[LineFilter, ...] = ()
    json: bool = False
    fields: tuple[Matcher, ...] = ()

    def holds(self, line: Line) -> bool:
        return (
            all(matcher.holds(label_of(line, matcher.label)) for matcher in self.matchers)
            and all(one.holds(line.raw) for one in self.filters)
            and all(matcher.holds(label_of(line, matcher.label)) for matcher in self.fields)
        )


@dataclass(frozen=True, slots=True)
class Count:
    """Lines of `stream` in windows of `window` seconds, by labels; `rate`: a second."""

    stream: Stream
    window: float
    rate: bool
    by: tuple[str, ...] | None = None


def label_of(line: Line, name: str) -> str:
    """A label or member of a line as text; empty when it has none."""
    if name in (*_LABELS, "event", "request_id", "trace_id"):
        return str(getattr(line, name))
    value = line.fields.get(name, "")
    return "" if value is None else str(value)


def parse(text: str) -> Stream | Count:
    """DashboardError says what is not understood and where."""
    parser = _Parser(text)
    expression = parser.stream() if parser.next_is("{") else parser.count()
    parser.end()
    return expression


def select(stream: Stream, lines: Iterable[Line]) -> list[Line]:
    """The lines that belong to the stream, in their order."""
    return [line for line in lines if stream.holds(line)]


def count(
    expression: Count, lines: Iterable[Line], span: Range
) -> dict[tuple[tuple[str, str], ...], list[tuple[float, float]]]:
    """Series by labels: a point every `span.step` seconds counts the window that ends there.

    A series has 0 where it has no lines; without any line there is one series of zeros.
    """
    by = expression.by if expression.by is not None else _LABELS
    moments = [span.start + at * span.step for at in range(int(span.seconds // span.step) + 1)]
    found: dict[tuple[tuple[str, str], ...], list[float]] = {}
    for line in lines:
        if not expression.stream.holds(line):
            continue
        labels = tuple((name, label_of(line, name)) for name in by)
        values = found.setdefault(labels, [0.0] * len(moments))
        # The windows (end - window, end] that the line is in.
        first = math.ceil((line.ts - span.start) / span.step)
        after = math.ceil((line.ts + expression.window - span.start) / span.step)
        for at in range(max(0, first), min(after, len(moments))):
            values[at] += 1
    scale = expression.window if expression.rate else 1.0
    series = found or {tuple((name, "") for name in by): [0.0] * len(moments)}
    return {
        labels: [(moment, value / scale) for moment, value in zip(moments, values, strict=True)]
        for labels, values in series.items()
    }


class _Parser:
    """Recursive descent over one expression."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def _peek(self) -> re.Match[str] | None:
        return _TOKEN.match(self._text, self._at)

    def next_is(self, sign: str) -> bool:
        match = self._peek()
        return match is not None and match[0].strip() == sign

    def _take(self, kind: str, what: str) -> str:
        match = self._peek()
        if match is None or match[kind] is None:
            raise self._error(what)
        self._at = match.end()
        return match[kind]

    def _sign(self, *signs: str) -> str:
        found = self._peek()
        if found is None or found["sign"] not in signs:
            raise self._error(" or ".join(signs))
        return self._take("sign", signs[0])

    def _error(self, wanted: str) -> DashboardError:
        return DashboardError(
            f"LogQL at character {self._at + 1}: expected {wanted} before "
            f"{self._text[self._at :].strip()[:40] or 'the end'!r}",
            "Only streams, line filters, json, label filters, count_over_time, rate and sum "
            "are understood here; Loki itself understands all of LogQL.",
        )

    def end(self) -> None:
        if self._text[self._at :].strip():
            raise self._error("the end")

    def count(self) -> Count:
        word = self._take("word", "{, sum, rate or count_over_time")
        if word == "sum":
            by = self._by() if self.next_is("by") else ()
            self._sign("(")
            inner = self.count()
            self._sign(")")
            if inner.by is not None:
                raise self._error("rate or count_over_time inside of sum")
            by = self._by() if self.next_is("by") else by
            return Count(inner.stream, inner.window, inner.rate, by)
        if word not in {"rate", "count_over_time"}:
            self._at -= len(word)
            raise self._error("sum, rate or count_over_time")
        self._sign("(")
        stream = self.stream()
        self._sign("[")
        window = self._duration()
        self._sign("]")
        self._sign(")")
        return Count(stream, window, word == "rate")

    def _by(self) -> tuple[str, ...]:
        self._take("word", "by")
        self._sign("(")
        labels = [self._take("word", "a label")]
        while self._sign(",", ")") == ",":
            labels.append(self._take("word", "a label"))
        return tuple(labels)

    def _duration(self) -> float:
        text = self._take("duration", "a length of time such as 1m")
        number = re.match(r"\d+", text)
        assert number is not None  # noqa: S101 - the token begins with digits
        seconds = int(number[0]) * _SECONDS[text[number.end() :]]
        if seconds <= 0:
            raise self._error("a length of time above 0")
        return seconds

    def stream(self) -> Stream:
        self._sign("{")
        matchers = [self._matcher()]
        while self._sign(",", "}") == ",":
            matchers.append(self._matcher())
        for matcher in matchers:
            if matcher.label not in _LABELS:
                raise self._error(f"labels out of {', '.join(_LABELS)} (not {matcher.label})")
        filters: list[LineFilter] = []
        fields: list[Matcher] = []
        is_json = False
        while (found := self._peek()) is not None and found["sign"] in (
            "|=",
            "!=",
            "|~",
            "!~",
            "|",
        ):
            sign = self._take("sign", "a filter")
            if sign != "|":
                value = self._string()
                filters.append(LineFilter(sign, value, self._pattern(sign, value)))
            elif self.next_is("json"):
                self._take("word", "json")
                is_json = True
            else:
                fields.append(self._matcher())
                if not is_json and fields[-1].label not in _LABELS:
                    raise self._error(f"| json before the filter of {fields[-1].label}")
        return Stream(tuple(matchers), tuple(filters), is_json, tuple(fields))

    def _matcher(self) -> Matcher:
        label = self._take("word", "a label")
        op = self._sign("=", "!=", "=~", "!~")
        value = self._string()
        return Matcher(label, op, value, self._pattern(op, value))

    def _pattern(self, op: str, value: str) -> re.Pattern[str] | None:
        if "~" not in op:
            return None
        if len(value) > _LONGEST_PATTERN:
            raise self._error(f"a regular expression of at most {_LONGEST_PATTERN} characters")
        try:
            return re.compile(value)
        except re.error as error:
            raise DashboardError(
                f"LogQL: {value!r} is not a regular expression: {error}", "Correct it."
            ) from None

    def _string(self) -> str:
        text = self._take("string", "a text in quotes")
        if text.startswith("`"):
            return text[1:-1]
        return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), text[1:-1])
