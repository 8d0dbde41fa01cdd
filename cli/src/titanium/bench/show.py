"""The benchmark on the terminal: what is being done, and the result at the end."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from titanium.bench.model import MIXED, Report
from titanium.bench.targets import Verdict


class Screen:
    """Implements `run.Watcher`: a line for each finished piece of work, and a bar on a terminal."""

    def __init__(self, console: Console, works: int) -> None:
        self._console = console
        # Two refreshes a second: the screen shares the cores with what is measured.
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            refresh_per_second=2,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("", total=works)
        self._what = ""

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def begin(self, what: str) -> None:
        self._what = what
        self._progress.update(self._task, description=what)

    def measured(self, result: str) -> None:
        self._progress.advance(self._task)
        self._console.print(f"  {self._what:<62} {result}", highlight=False, soft_wrap=True)


def results_table(report: Report) -> Table:
    """Rate, share of the limit and latency of every step."""
    table = Table(title="median of all rounds", title_justify="left")
    table.add_column("step")
    for head in ("requests/s", "of the limit", "p50 ms", "p95 ms", "p99 ms", "errors"):
        table.add_column(head, justify="right")
    for result in report.results.values():
        load, share = result.typical.load, report.share(result.name)
        table.add_row(
            result.name,
            f"{load.rate:,.0f}",
            f"{100 * share:.1f} %" if share is not None and result.name != MIXED else "",
            f"{load.p50:.2f}",
            f"{load.p95:.2f}",
            f"{load.p99:.2f}",
            str(result.errors),
        )
    return table


def verdicts_table(verdicts: Sequence[Verdict]) -> Table:
    """Every measured target, met or missed."""
    table = Table(title="targets", title_justify="left")
    table.add_column("what")
    table.add_column("target")
    table.add_column("measured", justify="right")
    table.add_column("")
    for verdict in verdicts:
        target = verdict.target
        word = "[green]met[/]" if verdict.met else "[red]missed[/]"
        table.add_row(target.title, target.words, target.text(verdict.value), word)
    return table
