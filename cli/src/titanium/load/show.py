"""A load test on the terminal: a line while it runs, tables at its end."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.table import Table

from titanium.load.model import Progress, Summary, Verdict

# Without a terminal: a line this often, in seconds.
_QUIET = 10.0


class Screen:
    """Shows progress: one line that changes on a terminal, else a line now and then."""

    def __init__(self, console: Console, seconds: float) -> None:
        self._console = console
        self._seconds = seconds
        self._status = console.status("starting") if console.is_terminal else None
        self._said = 0.0
        self._phase = ""

    def __enter__(self) -> Self:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def tell(self, progress: Progress) -> None:
        line = in_words(progress, self._seconds)
        if self._status is not None:
            self._status.update(line)
        elif progress.phase != self._phase or time.monotonic() - self._said >= _QUIET:
            self._phase, self._said = progress.phase, time.monotonic()
            self._console.print(f"  {line}", highlight=False, soft_wrap=True, markup=False)


def in_words(progress: Progress, seconds: float) -> str:
    """One line about a running test."""
    if progress.phase != "running":
        return progress.phase
    limited = f", {progress.limited} rate limited" if progress.limited else ""
    return (
        f"{progress.elapsed:.0f} of {seconds:.0f} s: {progress.users} users, "
        f"{progress.requests} requests, {progress.failures} failed{limited}, "
        f"p95 {progress.p95:.0f} ms"
    )


def tables(summary: Summary, verdicts: Sequence[Verdict]) -> list[Table]:
    """The whole result."""
    return [_requests(summary), _checks(summary), _verdicts(verdicts)]


def _requests(summary: Summary) -> Table:
    """Every kind of request with its rate and latencies, and all together."""
    table = Table(title="requests", title_justify="left")
    table.add_column("request")
    for head in ("count", "failed", "per s", "p50 ms", "p95 ms", "p99 ms"):
        table.add_column(head, justify="right")
    for row in (*summary.rows, summary.total):
        table.add_row(
            row.name,
            f"{row.requests:,}",
            f"[red]{row.failures:,}[/]" if row.failures else "0",
            f"{row.rate:.1f}",
            f"{row.p50:.0f}",
            f"{row.p95:.0f}",
            f"{row.p99:.0f}",
            end_section=row is summary.rows[-1] if summary.rows else False,
        )
    return table


def _checks(summary: Summary) -> Table:
    """Every check, those that failed first."""
    table = Table(title="checks", title_justify="left")
    table.add_column("check")
    table.add_column("held", justify="right")
    table.add_column("not", justify="right")
    for check in sorted(summary.checks, key=lambda one: (-one.failed, one.name)):
        failed = f"[red]{check.failed:,}[/]" if check.failed else "0"
        table.add_row(check.name, f"{check.passed:,}", failed)
    return table


def _verdicts(verdicts: Sequence[Verdict]) -> Table:
    """Every threshold, met or missed."""
    table = Table(title="thresholds", title_justify="left")
    for head in ("what", "threshold", "measured", ""):
        table.add_column(head)
    for one in verdicts:
        word = "[green]met[/]" if one.met else "[red]missed[/]"
        table.add_row(one.title, one.bound, one.measured, word)
    return table


def remarks(summary: Summary) -> list[str]:
    """What else is to be said, a line each."""
    lines = [f"{count} x {text}" for text, count in summary.problems]
    if summary.limited:
        lines.append(
            f"{summary.limited} requests were refused by the rate limit (429) and are in no row: "
            "use a lower --rate, or a platform with limits of its own (titanium up --policy FILE)."
        )
    return [*lines, *summary.notes]
