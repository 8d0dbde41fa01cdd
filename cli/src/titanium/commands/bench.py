"""`titanium bench`: measure a platform of its own and write docs/performance.md."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from titanium.errors import EXIT_UNHEALTHY

# Checked against titanium.bench.steps by a test; importing that here would slow `--help` down.
STEPS = (
    *("limit", "cached-post", "cached-list", "uncached-post", "search", "create", "login"),
    *("mixed", "observability"),
)
SECONDS, ROUNDS = 5, 3
EPILOG = """\b
Examples:
  titanium bench                         about eight minutes, writes docs/performance.md
  titanium bench --million               also the list page with a million posts
  titanium bench --seconds 2 --rounds 1  a short look; writes the same files
  titanium bench --only cached-post      one step and the limit; writes nothing

\b
Exit codes besides those of every command:
  0  measured, every target met
  3  measured, a target missed
"""


def repeat_with(seconds: int, rounds: int, only: tuple[str, ...], million: bool) -> str:
    """What somebody else has to type for the same measurements; without paths of this machine."""
    words = ["titanium", "bench"]
    words += ["--seconds", str(seconds)] if seconds != SECONDS else []
    words += ["--rounds", str(rounds)] if rounds != ROUNDS else []
    words += [word for name in only for word in ("--only", name)]
    words += ["--million"] if million else []
    return " ".join(words)


@click.command("bench", epilog=EPILOG)
@click.option(
    "--seconds",
    type=click.IntRange(1, 600),
    default=SECONDS,
    show_default=True,
    help="How long to measure each step in each round.",
)
@click.option(
    "--rounds",
    type=click.IntRange(1, 20),
    default=ROUNDS,
    show_default=True,
    help="How often; the median counts.",
)
@click.option(
    "--only",
    type=click.Choice(STEPS),
    multiple=True,
    help="Measure this step (repeatable) and print; files are written with --output only.",
)
@click.option("--million", is_flag=True, help="Also compare list pages of 1,000,000 posts.")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where performance.md and img/performance.svg go (default: docs of the checkout).",
)
def command(
    seconds: int,
    rounds: int,
    only: tuple[str, ...],
    million: bool,
    output: Path | None,
) -> None:
    """Measure throughput, latency, processor time and memory of a platform of its own.

    Starts a second platform on free ports in a temporary folder, measures each step several
    times with wrk, compares the figures with the targets, and removes everything again. Let the
    machine do nothing else meanwhile.
    """
    from rich.console import Console

    from titanium.bench import machine, show
    from titanium.bench.instance import own_instance
    from titanium.bench.report import Circumstances, chart, markdown
    from titanium.bench.run import Bench, Wish
    from titanium.bench.targets import judge
    from titanium.bench.wrk import find_wrk
    from titanium.checkout import checkout
    from titanium.tools import find_tools

    root, console = checkout(), Console()
    wish = Wish(seconds=seconds, rounds=rounds, only=only, million=million)
    with own_instance(root) as instance:
        wrk = find_wrk(Path(sys.prefix) / "debian")
        how = Circumstances(
            moment=datetime.now(UTC),
            machine=machine.describe(find_tools(), wrk),
            command=repeat_with(seconds, rounds, only, million),
            seconds=wish.seconds,
            rounds=wish.rounds,
            posts=wish.posts,
        )
        with show.Screen(console, wish.works) as screen:
            report = Bench(instance, wrk, wish, screen).measure()
    verdicts = judge(report)
    tables = [show.results_table(report)] if report.results else []
    console.print(*tables, show.verdicts_table(verdicts))
    folder = output or (None if only else root / "docs")
    if folder is not None:
        (folder / "img").mkdir(parents=True, exist_ok=True)
        (folder / "performance.md").write_text(markdown(report, how), "utf-8")
        (folder / "img" / "performance.svg").write_text(chart(report), "utf-8")
        console.print(f"Written: {folder / 'performance.md'}", highlight=False, soft_wrap=True)
    if not all(verdict.met for verdict in verdicts):
        sys.exit(EXIT_UNHEALTHY)
