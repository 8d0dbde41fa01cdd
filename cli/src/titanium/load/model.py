"""What a load test asks for and what it found, as pure data, and the judgement on it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from titanium.errors import UsageError

_DURATION = re.compile(r"(?:(\d{1,4})h)?(?:(\d{1,5})m)?(?:(\d{1,6})s?)?", re.ASCII)
_LONGEST = 24 * 3600
# Exit status of the load process when a test could not begin.
FAILED = 70


def parse_duration(text: str) -> float:
    """Seconds of `30s`, `2m`, `1h30m` or `45`; UsageError for anything else, 0 or over a day."""
    found = _DURATION.fullmatch(text.strip())
    hours, minutes, seconds = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
    total = 3600 * hours + 60 * minutes + seconds
    if not 0 < total <= _LONGEST:
        raise UsageError(
            f"--duration {text}: expected a time from 1s to 24h",
            "For example: titanium load --duration 30s, or 2m, or 1h30m",
        )
    return float(total)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Bounds of a good run: the 95th percentile in milliseconds, failed requests in percent, and
    checks that hold in percent. tests/performance/k6.js has the same."""

    p95_ms: float = 500.0
    error_percent: float = 1.0
    checks_percent: float = 99.0


@dataclass(frozen=True, slots=True)
class Order:
    """What the load process is to do.

    `rate` bounds the requests of all users together, per second; `thinking` visitors pause about
    a second between requests. `seconds` 0: until stopped. `report`: file for Locust's HTML page,
    empty for none.
    """

    scenario: str
    url: str
    users: int
    rate: float
    seconds: float
    thinking: bool = True
    report: str = ""

    def encode(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def decode(cls, text: str) -> Order:
        return cls(**json.loads(text))


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of request: answers a second over the whole run, latencies in milliseconds."""

    name: str
    requests: int
    failures: int
    rate: float
    p50: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True)
class Check:
    """How often a statement about answers held, and how often not."""

    name: str
    passed: int
    failed: int


@dataclass(frozen=True, slots=True)
class Progress:
    """The state of a running test; `phase` says what is being done."""

    phase: str
    elapsed: float = 0.0
    users: int = 0
    requests: int = 0
    failures: int = 0
    limited: int = 0
    p95: float = 0.0


@dataclass(frozen=True, slots=True)
class Summary:
    """A whole run of `seconds`. `total` is of all rows; `limited` are answers 429, which no row
    and no percentile counts. `problems` are failures in words with their number."""

    total: Row
    seconds: float
    users: int
    limited: int = 0
    rows: tuple[Row, ...] = ()
    checks: tuple[Check, ...] = ()
    problems: tuple[tuple[str, int], ...] = ()
    notes: tuple[str, ...] = ()
    interrupted: bool = False

    @property
    def error_percent(self) -> float:
        return 100 * self.total.failures / self.total.requests if self.total.requests else 0.0

    @property
    def checks_percent(self) -> float:
        passed = sum(check.passed for check in self.checks)
        made = passed + sum(check.failed for check in self.checks)
        return 100 * passed / made if made else 0.0


Message = Progress | Summary


def encode(message: Message) -> str:
    """One line for the process that watches."""
    return json.dumps({type(message).__name__.lower(): asdict(message)}, ensure_ascii=False)


def decode(line: str) -> Message:
    """ValueError when the line is not a message."""
    try:
        ((kind, body),) = json.loads(line).items()
        if kind == "progress":
            return Progress(**body)
        if kind == "summary":
            return _summary(body)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"not a message: {error}") from None
    raise ValueError(f"unknown message: {line[:80]!r}")


def _summary(body: Mapping[str, Any]) -> Summary:
    parts: dict[str, Any] = {
        "total": Row(**body["total"]),
        "rows": tuple(Row(**row) for row in body["rows"]),
        "checks": tuple(Check(**check) for check in body["checks"]),
        "problems": tuple((text, count) for text, count in body["problems"]),
        "notes": tuple(body["notes"]),
    }
    return Summary(**{**body, **parts})


@dataclass(frozen=True, slots=True)
class Verdict:
    """One threshold and what was measured, in words; `met` when it was kept."""

    title: str
    bound: str
    measured: str
    met: bool


def judge(summary: Summary, thresholds: Thresholds) -> list[Verdict]:
    """Every threshold. A run without a single answer keeps none of them."""
    any_at_all = summary.total.requests > 0
    errors, checks = summary.error_percent, summary.checks_percent
    p95 = summary.total.p95
    return [
        Verdict(
            "95th percentile",
            f"under {thresholds.p95_ms:g} ms",
            f"{p95:.0f} ms" if any_at_all else "nothing was answered",
            any_at_all and p95 < thresholds.p95_ms,
        ),
        Verdict(
            "failed requests",
            f"under {thresholds.error_percent:g} %",
            f"{errors:.2f} %" if any_at_all else "nothing was answered",
            any_at_all and (errors < thresholds.error_percent or errors == 0),
        ),
        Verdict(
            "checks",
            f"over {thresholds.checks_percent:g} %",
            f"{checks:.2f} %" if summary.checks else "nothing was checked",
            checks > thresholds.checks_percent,
        ),
    ]


@dataclass(slots=True)
class Checks:
    """Counts checks by name while a test runs."""

    _passed: dict[str, int] = field(default_factory=dict)
    _failed: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, *, held: bool) -> None:
        counts = self._passed if held else self._failed
        counts[name] = counts.get(name, 0) + 1

    def clear(self) -> None:
        self._passed.clear()
        self._failed.clear()

    def result(self) -> tuple[Check, ...]:
        """Every check that was made, by name."""
        names = sorted({*self._passed, *self._failed})
        return tuple(
            Check(name, self._passed.get(name, 0), self._failed.get(name, 0)) for name in names
        )
