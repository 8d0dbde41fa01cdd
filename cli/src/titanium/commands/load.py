"""`titanium load`: visitors for a running platform, and a judgement on how it did."""

from __future__ import annotations

import math
import re
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from titanium import state
from titanium.commands._common import existing_home, home_option
from titanium.errors import EXIT_UNHEALTHY, StateError, UsageError
from titanium.layout import Home

if TYPE_CHECKING:
    from titanium.load.scenario import Scenario

# Checked against titanium.load by a test; importing that here would slow `--help` down.
SCENARIOS = ("browse", "write", "mixed", "login", "steps", "gentle")
P95_MS, ERROR_PERCENT = 500.0, 1.0
SETTING = "TITANIUM_URL"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
# Reports are a megabyte each.
_KEPT_REPORTS = 20
EPILOG = """\b
Scenarios:
  browse  lists, searches and reads; needs no account
  write   writes, edits and deletes posts
  mixed   mostly readers, one request in nine writes (the default)
  login   sessions from login to logout, ten logins a minute
  steps   mixed, 10, then 50, then 100 users (tests/performance/k6.js is the same for k6)
  gentle  mixed, two requests a second until stopped; waits for a platform that restarts

\b
Without --rate each visitor thinks about a second between requests, and all together send at
most 90 requests a second: the platform allows a client address 100. With --rate nobody
thinks, and that many are sent. What the rate limit refuses (429) is counted apart. To
measure more than the limits allow: titanium up --policy FILE with limits of its own.
Accounts and posts of the test are deleted at its end.

\b
Examples:
  titanium load                              30 s of mixed traffic with 10 users
  titanium load --scenario steps             150 s, up to 100 users
  titanium load --scenario browse --users 50 --duration 2m --p95 100
  titanium load --gentle                     until Ctrl-C

\b
Exit codes besides those of every command:
  0  every threshold was met (--gentle: was stopped)
  3  a threshold was missed, or the test could not begin
"""


@click.command("load", epilog=EPILOG)
@click.option(
    "--scenario",
    type=click.Choice(SCENARIOS),
    default=None,
    help="What the visitors do (default: mixed).",
)
@click.option("--gentle", is_flag=True, help="The same as --scenario gentle.")
@click.option(
    "--users",
    type=click.IntRange(1, 5000),
    help="Visitors at the same time, the most of them for steps (default: 10; steps: 100).",
)
@click.option(
    "--rate",
    type=click.FloatRange(0.1, 10_000),
    metavar="R",
    help="Requests a second of all users together, without pauses.",
)
@click.option(
    "--duration", metavar="TIME", help="For example 30s or 2m (default: 30s; steps 150s)."
)
@click.option(
    "--p95",
    type=click.FloatRange(0, min_open=True),
    default=P95_MS,
    show_default=True,
    metavar="MS",
    help="The 95th percentile has to stay under this.",
)
@click.option(
    "--error-rate",
    type=click.FloatRange(0, 100),
    default=ERROR_PERCENT,
    show_default=True,
    metavar="PCT",
    help="Failed requests have to stay under this percentage.",
)
@click.option(
    "--url",
    envvar=SETTING,
    show_envvar=True,
    help="The gateway of any platform (default: the one of the state folder).",
)
@home_option
@click.option("--name", default="", metavar="TEXT", help="Becomes part of the report's file name.")
@click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where the HTML report goes (default: reports/ in the state folder).",
)
def command(
    scenario: str | None,
    gentle: bool,
    users: int | None,
    rate: float | None,
    duration: str | None,
    p95: float,
    error_rate: float,
    url: str | None,
    home: str | None,
    name: str,
    html: Path | None,
) -> None:
    """Send visitors to a running platform and judge how it did.

    Shows requests, latencies and checks, writes an HTML report, and exits with status 3 when a
    threshold was missed.
    """
    from rich.console import Console

    from titanium.load import show, watch
    from titanium.load.model import Order, Thresholds, judge, parse_duration
    from titanium.load.scenario import SCENARIOS as FOUND
    from titanium.load.target import checked_url, local_url, require_answer

    _check(scenario, gentle, duration, html, name)
    _check_numbers({"--rate": rate, "--p95": p95, "--error-rate": error_rate})
    chosen = FOUND["gentle" if gentle else scenario or "mixed"]
    seconds = parse_duration(duration) if duration else chosen.seconds
    target = checked_url(url) if url else local_url(existing_home(home))
    order = Order(
        scenario=chosen.name,
        url=target,
        users=users or chosen.users,
        rate=rate or chosen.rate,
        seconds=seconds,
        thinking=rate is None,
    )
    if chosen.endless:
        watch.become(order)
    require_answer(target)
    order = replace(
        order, report=str(html.absolute() if html else _report_file(home, chosen, name))
    )
    console = Console()
    console.print(f"{chosen.name}: {chosen.words}; {target}", highlight=False, soft_wrap=True)
    with show.Screen(console, seconds) as screen:
        summary = watch.run(order, screen.tell)
    verdicts = judge(summary, Thresholds(p95, error_rate))
    console.print(*show.tables(summary, verdicts))
    for line in show.remarks(summary):
        console.print(f"  {line}", highlight=False, soft_wrap=True, markup=False)
    if Path(order.report).exists():
        console.print(f"Report: {order.report}", highlight=False, soft_wrap=True, markup=False)
    if summary.interrupted:
        raise KeyboardInterrupt
    if not all(one.met for one in verdicts):
        sys.exit(EXIT_UNHEALTHY)


def _check(
    scenario: str | None, gentle: bool, duration: str | None, html: Path | None, name: str
) -> None:
    """UsageError for options that do not go together."""
    endless = gentle or scenario == "gentle"
    if gentle and scenario not in (None, "gentle"):
        raise UsageError(f"--gentle and --scenario {scenario} exclude each other", "Give one.")
    if endless and (duration or html or name):
        raise UsageError(
            "--gentle goes on until it is stopped: it has no --duration and no report",
            "For a test with a report: titanium load --scenario mixed",
        )
    if name and not _NAME.fullmatch(name):
        raise UsageError(
            f"--name {name}: expected up to 40 letters, digits and . _ -",
            "For example: titanium load --name before-the-change",
        )


def _check_numbers(options: dict[str, float | None]) -> None:
    """UsageError for what click takes for a number and every comparison with which fails."""
    for option, value in options.items():
        if value is not None and not math.isfinite(value):
            raise UsageError(f"{option} {value:g}: expected a number", "titanium load --help")


def _report_file(home: str | None, scenario: Scenario, name: str) -> Path:
    """A new file in the state folder, or in the current one when there is no state folder.

    Of older reports in the state folder the last ones stay.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    file = f"load-{name or scenario.name}-{stamp}.html"
    root = state.home_folder(home)
    if not root.is_dir():
        return Path.cwd() / file
    folder = Home(root).reports
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        for old in sorted(folder.glob("load-*.html"), key=_age)[: -_KEPT_REPORTS + 1]:
            old.unlink(missing_ok=True)
    except OSError as error:
        raise StateError(
            f"{folder} cannot be used: {error.strerror}", "Choose another file with --html."
        ) from None
    return folder / file


def _age(path: Path) -> float:
    return path.stat().st_mtime
