"""What the platform has to reach, and whether one run did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from titanium.bench.model import HASHES, MIXED, Report

MEGABYTE = 1_000_000
CACHED_SHARE, UNCACHED_SHARE = 0.45, 0.15
CREATES_PER_SECOND = 500
LOGIN_SHARE = 0.80
MIXED_P95_MS = 25
RESIDENT_MEGABYTES = 800
SECOND_START_SECONDS = 8
GROWTH_RATIO = 1.5
OBSERVABILITY_LOSS, OBSERVABILITY_MEGABYTES, OBSERVABILITY_CORE = 0.05, 350, 0.10

Measure = Callable[[Report], float | None]


@dataclass(frozen=True, slots=True)
class Target:
    """A bound on one figure of a report; `measure` answers None when it was not measured."""

    title: str
    bound: float
    unit: str
    measure: Measure
    at_least: bool = False

    @property
    def words(self) -> str:
        return f"{'at least' if self.at_least else 'at most'} {self._text(self.bound)}"

    def verdict(self, report: Report) -> Verdict | None:
        """The figure against the bound; None when the run did not measure it."""
        value = self.measure(report)
        if value is None:
            return None
        met = value >= self.bound if self.at_least else value <= self.bound
        return Verdict(self, value, met)

    def text(self, value: float) -> str:
        """A measured figure as people read it."""
        return self._text(value)

    def _text(self, value: float) -> str:
        if self.unit == "%":
            return f"{value * 100:.0f} %" if value == self.bound else f"{value * 100:.1f} %"
        digits = 0 if value == int(value) or value >= 100 else 1 if value >= 10 else 2
        return f"{value:,.{digits}f} {self.unit}".strip()


@dataclass(frozen=True, slots=True)
class Verdict:
    """A target, what the run measured, and whether that is enough."""

    target: Target
    value: float
    met: bool


def _share(name: str) -> Measure:
    return lambda report: report.share(name)


def login_share(report: Report) -> float | None:
    """Logins a second as a share of the argon2id hashes that the cores can compute."""
    return report.share("login", HASHES)


def _rate(name: str) -> Measure:
    return lambda report: report.results[name].rate if name in report.results else None


def _mixed_p95(report: Report) -> float | None:
    mixed = report.results.get(MIXED)
    return mixed.typical.load.p95 if mixed else None


def _errors(name: str) -> Measure:
    return lambda report: float(report.results[name].errors) if name in report.results else None


def _errors_elsewhere(report: Report) -> float | None:
    """Errors of every step but the mixed one."""
    steps = [result for name, result in report.results.items() if name != MIXED]
    return float(sum(step.errors for step in steps)) if steps else None


def _resident(report: Report) -> float | None:
    """Shared pages once: PostgreSQL's processes alone share most of what each of them shows."""
    return report.busiest.proportional / MEGABYTE if report.busiest else None


def _observability_loss(report: Report) -> float | None:
    return max(0.0, report.observability.lost) if report.observability else None


def _observability_memory(report: Report) -> float | None:
    return report.observing.proportional / MEGABYTE if report.observing else None


def _observability_core(report: Report) -> float | None:
    return max(0.0, report.observability.idle_cpu) / 100 if report.observability else None


TARGETS = (
    Target("Cached post, share of the limit", CACHED_SHARE, "%", _share("cached-post"), True),
    Target("Cached list, share of the limit", CACHED_SHARE, "%", _share("cached-list"), True),
    Target("Uncached post, share of the limit", UNCACHED_SHARE, "%", _share("uncached-post"), True),
    Target("Creating posts, durable", CREATES_PER_SECOND, "/s", _rate("create"), True),
    Target("Logins, share of the argon2id rate", LOGIN_SHARE, "%", login_share, True),
    Target("Mixed traffic, 95th percentile", MIXED_P95_MS, "ms", _mixed_p95),
    Target("Mixed traffic, errors", 0, "", _errors(MIXED)),
    Target("All other steps, errors", 0, "", _errors_elsewhere),
    Target(
        "Resident memory of the platform's processes at its highest, shared pages once",
        RESIDENT_MEGABYTES,
        "MB",
        _resident,
    ),
    Target("Second start", SECOND_START_SECONDS, "s", lambda report: report.second_start),
    Target(
        "List page with many posts against few",
        GROWTH_RATIO,
        "times",
        lambda report: report.growth.ratio if report.growth else None,
    ),
    Target("Cached posts lost to observability", OBSERVABILITY_LOSS, "%", _observability_loss),
    Target(
        "Memory of all processes that observe, shared pages once",
        OBSERVABILITY_MEGABYTES,
        "MB",
        _observability_memory,
    ),
    Target("Observability at rest, of one core", OBSERVABILITY_CORE, "%", _observability_core),
)


def judge(report: Report) -> list[Verdict]:
    """Every target that the run measured."""
    verdicts = (target.verdict(report) for target in TARGETS)
    return [verdict for verdict in verdicts if verdict is not None]
