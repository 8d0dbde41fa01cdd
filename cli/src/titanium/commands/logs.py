"""`titanium logs`: what the processes write, filtered and followed."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace

import click

from titanium.commands._common import existing_home, home_option
from titanium.errors import UsageError
from titanium.logs import LEVELS, Line, LogFolder, Query, Tail, levels_from
from titanium.logs.moments import moment
from titanium.logs.show import as_json, printable, readable

EPILOG = """\b
Examples:
  titanium logs                          the last lines of every log
  titanium logs blog                     all instances of one service, sidecars included
  titanium logs -f gateway-access        follow one process
  titanium logs -n 200 postgres
  titanium logs --level warning --since 10m
  titanium logs --grep "too many connections" --since 2026-11-21T03:00
  titanium logs --request-id 26764963-701d-4527-97f2-7e662a541d59
  titanium logs -f blog --level error --json | jq .event
"""
_POLL = 0.2
_LINES = 20
_FOUND = 1000


@click.command(epilog=EPILOG)
@click.argument("service", required=False)
@home_option
@click.option("-f", "--follow", is_flag=True, help="Go on showing new lines until Ctrl-C.")
@click.option(
    "-n",
    "--lines",
    type=click.IntRange(0, 100_000),
    help=f"Newest lines of each log ({_LINES}); with a filter, of all that match ({_FOUND}).",
)
@click.option("--level", metavar="LEVEL", help=f"This level and above: {', '.join(LEVELS)}.")
@click.option("--grep", metavar="TEXT", default="", help="Lines with this text, in any case.")
@click.option("--since", metavar="WHEN", help="Not older: 10m, 2h, 3d (ago), 2026-11-21T03:00.")
@click.option("--until", metavar="WHEN", help="Not newer. Times without a zone are local.")
@click.option("--request-id", metavar="ID", default="", help="Lines about one request.")
@click.option("--trace-id", metavar="ID", default="", help="Lines about one trace.")
@click.option("--json", "json_", is_flag=True, help="One JSON object a line, as it was written.")
def command(
    service: str | None,
    home: str | None,
    follow: bool,
    lines: int | None,
    level: str | None,
    grep: str,
    since: str | None,
    until: str | None,
    request_id: str,
    trace_id: str,
    json_: bool,
) -> None:
    """Show the last lines of the logs of SERVICE (a service or a process), or of all.

    Lines are merged by time, put-aside logs (blog-0.log.1) included. A terminal gets them
    readable and in local time; a pipe or a file gets them as they were written.
    """
    now = time.time()
    query = Query(
        services=frozenset((service,)) if service else frozenset(),
        levels=_levels(level),
        text=grep,
        request_id=request_id,
        trace_id=trace_id.lower(),
        since=None if since is None else moment(since, "--since", now),
        until=None if until is None else moment(until, "--until", now),
    )
    _check(query, follow)
    folder = LogFolder(existing_home(home).logs)
    names = _select(folder, query, service)
    show = _Show(names, json_)
    with closing(folder.follow(query)) as tail:
        found, complete = _newest(folder, query, names, lines, tail if follow else None)
        show.lines(found)
        if not found and query.is_filter and not follow and lines != 0:
            click.echo("no line matches", err=True)
        if not complete:
            click.echo(f"(older lines match, too: -n {10 * max(len(found), 1)})", err=True)
        while follow:
            show.lines(tail.poll())
            sys.stdout.flush()
            if not tail.behind:
                time.sleep(_POLL)


def _levels(lowest: str | None) -> frozenset[str]:
    if lowest is None:
        return frozenset()
    try:
        return levels_from(lowest.lower())
    except ValueError:
        raise UsageError(
            f"there is no level {lowest!r}", f"Levels are: {', '.join(LEVELS)}."
        ) from None


def _check(query: Query, follow: bool) -> None:
    if query.since is not None and query.until is not None and query.since > query.until:
        raise UsageError("--since is later than --until", "Swap the two.")
    if follow and query.until is not None:
        raise UsageError("--follow goes on without end", "Leave out --until.")


def _select(folder: LogFolder, query: Query, service: str | None) -> list[str]:
    """Names of the logs to read; UsageError when that service has none."""
    everything = folder.processes()
    chosen = [name for name in everything if query.reads(name)]
    if service is not None and not chosen:
        names = ", ".join(everything) or "none yet"
        raise UsageError(f"there is no log of {service!r}", f"Logs are: {names}.")
    return chosen


def _newest(
    folder: LogFolder, query: Query, names: list[str], lines: int | None, before: Tail | None
) -> tuple[list[Line], bool]:
    """Lines to begin with, and whether these are all that a filter finds."""
    if lines == 0:
        return [], True
    if query.is_filter:
        result = folder.search(query, lines or _FOUND, before=before)
        return result.lines, result.complete
    found = []
    for name in names:
        one = replace(query, processes=frozenset((name,)))
        found += folder.search(one, lines or _LINES, before=before).lines
    return sorted(found, key=lambda line: line.ts), True


class _Show:
    """Prints lines as the reader can use them."""

    def __init__(self, names: Iterable[str], json_: bool) -> None:
        widths = [len(name) for name in names]
        self._json = json_
        self._terminal = sys.stdout.isatty()
        self._width = max(widths, default=0)
        self._one = len(widths) < 2

    def lines(self, lines: list[Line]) -> None:
        for line in lines:
            click.echo(self._text(line))

    def _text(self, line: Line) -> str:
        if self._json:
            return printable(as_json(line)) if self._terminal else as_json(line)
        if self._terminal:
            return readable(line, self._width)
        return line.raw if self._one else f"{line.process:<{self._width}} | {line.raw}"
