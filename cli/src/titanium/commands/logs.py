"""`titanium logs`: what the processes write."""

from __future__ import annotations

import time
from pathlib import Path

import click

from titanium.commands._common import existing_home, home_option
from titanium.errors import UsageError
from titanium.supervise.process import size_of, tail

EPILOG = """\b
Examples:
  titanium logs                  the last lines of every log
  titanium logs blog             all instances of one service, sidecars included
  titanium logs -f gateway       follow one process
  titanium logs -n 200 postgres
"""
_POLL = 0.2


@click.command(epilog=EPILOG)
@click.argument("service", required=False)
@home_option
@click.option("-f", "--follow", is_flag=True, help="Go on showing new lines until Ctrl-C.")
@click.option("-n", "--lines", type=click.IntRange(0, 10_000), default=20, show_default=True)
def command(service: str | None, home: str | None, follow: bool, lines: int) -> None:
    """Show the last lines of the logs of SERVICE (a service or a process), or of all."""
    folder = existing_home(home)
    logs = _select(folder.logs, service)
    width = max((len(path.stem) for path in logs), default=0) if len(logs) > 1 else 0
    sizes = {path: _whole(path) for path in logs}
    for path in logs:
        for line in tail(path, lines):
            _show(path, line, width)
    while follow:
        time.sleep(_POLL)
        for path in _select(folder.logs, service):
            sizes[path] = _show_new(path, sizes.get(path, 0), width)


def _select(folder: Path, service: str | None) -> list[Path]:
    """Log files of a process, of a service (all its instances), or all; UsageError when none."""
    everything = sorted(folder.glob("*.log"))
    if service is None:
        return everything
    chosen = [
        path for path in everything if path.stem == service or path.stem.startswith(f"{service}-")
    ]
    if not chosen:
        names = ", ".join(path.stem for path in everything) or "none yet"
        raise UsageError(f"there is no log of {service!r}", f"Logs are: {names}.")
    return chosen


def _whole(path: Path) -> int:
    """Size of the log up to its last whole line: writers may be in the middle of one."""
    size = size_of(path)
    with path.open("rb") as file:
        file.seek(max(0, size - 64 * 1024))
        start = file.tell()
        end = file.read(size - start).rfind(b"\n")
    return start + end + 1 if end >= 0 else start


def _show_new(path: Path, seen: int, width: int) -> int:
    """Show whole lines written since byte `seen`; the new position. A cut file starts over."""
    size = size_of(path)
    if size == seen:
        return seen
    with path.open("rb") as file:
        file.seek(seen if size > seen else 0)
        text = file.read(1 << 20)
        whole = text[: text.rfind(b"\n") + 1]
        for line in whole.decode("utf-8", "replace").splitlines():
            _show(path, line, width)
        return file.tell() - len(text) + len(whole)


def _show(path: Path, line: str, width: int) -> None:
    click.echo(f"{path.stem:<{width}} | {line}" if width else line)
