"""`titanium status`: what runs, and how it is."""

from __future__ import annotations

import json
import sys
import time

import click

from titanium.commands._common import existing_home, home_option, orphans, show_notes
from titanium.errors import EXIT_UNHEALTHY, NotRunningError
from titanium.layout import Home
from titanium.supervise import client
from titanium.supervise.protocol import PlatformStatus, ProcessStatus, describe_fault

EPILOG = """\b
Examples:
  titanium status
  titanium status --json | jq -r .state
Exit code 0: healthy, or degraded (it serves, but what watches it is not complete);
3: something is not ready; 4: not running.
"""
_COLUMNS = ("process", "state", "pid", "uptime", "memory", "cpu", "restarts", "address")
# Seconds between two looks at the processor time of each process.
_INTERVAL = 0.5


@click.command(epilog=EPILOG)
@home_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
def command(home: str | None, as_json: bool) -> None:
    """Show every process: state, pid, uptime, memory, processor, restarts and address."""
    folder = existing_home(home)
    status = client.status(folder)
    if status is None:
        running = orphans(folder)
        if not running:
            raise NotRunningError(
                f"no titanium is running in {folder.root}", "Start it: titanium up -d"
            )
        status = _unsupervised(str(folder.root), running)
    if as_json:
        click.echo(json.dumps(status.to_json(), indent=1))
    else:
        _table(status, _load(folder, status))
    if status.state not in ("healthy", "degraded"):
        sys.exit(EXIT_UNHEALTHY)


def _unsupervised(home: str, running: dict[str, int]) -> PlatformStatus:
    processes = tuple(
        ProcessStatus(name, "", "running", pid, 0.0, 0, 0, "") for name, pid in running.items()
    )
    return PlatformStatus("unsupervised", home, "", "", None, processes)


def _load(folder: Home, first: PlatformStatus) -> dict[str, float]:
    """Share of one processor that each process uses now, by name; 1.0 is all of it."""
    if first.supervisor is None:
        return {}
    began = time.monotonic()
    before = {(one.name, one.pid): one.cpu for one in first.processes}
    time.sleep(_INTERVAL)
    second = client.status(folder)
    spent = time.monotonic() - began
    return {
        one.name: max(0.0, one.cpu - before[one.name, one.pid]) / spent
        for one in (second.processes if second else ())
        if (one.name, one.pid) in before
    }


def _table(status: PlatformStatus, load: dict[str, float]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in _COLUMNS:
        right = heading in ("pid", "uptime", "memory", "cpu", "restarts")
        table.add_column(heading, justify="right" if right else "left", overflow="fold")
    for process in status.processes:
        table.add_row(
            process.name,
            process.state,
            str(process.pid or "-"),
            duration(process.uptime),
            f"{process.memory / 2**20:.0f} MiB" if process.memory else "-",
            f"{load[process.name]:.0%}" if process.name in load else "-",
            str(process.restarts),
            process.address.removeprefix(f"{status.home}/"),
        )
    # Into a file or a pipe, lines are as long as they need to be.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
    console.print(table)
    total = sum(process.memory for process in status.processes)
    click.echo(f"\n{status.state}  {total / 2**20:.0f} MiB  {status.url}")
    for process in status.processes:
        if process.detail and not (process.optional and status.notes):
            click.echo(f"  {process.name}: {process.detail}")
    for fault in status.faults:
        left = max(0.0, fault.until - time.time())
        click.echo(
            f"  {fault.service}: fault injected: {describe_fault(fault)}, for {left:.0f} s more"
        )
    show_notes(status)
    if status.state == "unsupervised":
        click.echo("  the supervisor is gone; `titanium up` takes these processes over")


def duration(seconds: float) -> str:
    """`59s`, `12m`, `3h`, `2d`: the largest unit that fits."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds:.0f}s"
