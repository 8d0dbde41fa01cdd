"""What several commands share: the --home option, progress on the terminal, stopping."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

import click

from titanium import state
from titanium.errors import NotRunningError, RunningError
from titanium.layout import Home
from titanium.supervise import client, procfs, record
from titanium.supervise.protocol import Event, PlatformStatus, Request

if TYPE_CHECKING:
    from rich.status import Status

Command = Callable[..., Any]
_WIDTH = 18
_LAST_MOMENTS = 5.0
_SILENT = ("waiting", "starting", "stopping")


def home_option(command: Command) -> Command:
    """`--home DIR` as parameter `home`; TITANIUM_HOME and the default are filled in later."""
    return click.option(
        "--home",
        metavar="DIR",
        help=f"State folder (default: ${state.HOME_SETTING}, else .titanium in the checkout).",
    )(command)


def existing_home(home: str | None) -> Home:
    """The state folder of a command that starts nothing; NotRunningError when there is none."""
    root = state.home_folder(home)
    if not root.exists():
        raise NotRunningError(
            f"there is no state folder {root}", "Start the platform: titanium up -d"
        )
    return state.find_home(root)


class Progress:
    """Shows events: a line for each finished step and, on a terminal, what is under way."""

    def __init__(self) -> None:
        self._under_way: list[str] = []
        self._spinner: Status | None = None

    def __enter__(self) -> Self:
        if os.isatty(1):
            from rich.console import Console

            self._spinner = Console().status("")
            self._spinner.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._spinner is not None:
            self._spinner.stop()
            self._spinner = None

    def __call__(self, event: Event) -> None:
        if event.state in _SILENT:
            if event.step not in self._under_way:
                self._under_way.append(event.step)
        elif event.step in self._under_way:
            self._under_way.remove(event.step)
        if event.state not in _SILENT:
            remark = event.remark or event.state
            click.echo(f"  {event.step:<{_WIDTH}} {remark}")
        if self._spinner is not None:
            self._spinner.update(" ".join(self._under_way))


def show_notes(status: PlatformStatus) -> None:
    """What is missing and what to do about it, a line each."""
    for note in status.notes:
        click.echo(f"  note     {note}")


def stop_platform(folder: Home, tell: client.Tell) -> bool:
    """Stop everything, with the supervisor's help or without; False when nothing ran."""
    try:
        # Stopping may take a minute; a supervisor that hangs is found out sooner.
        client.ask(folder, Request("status"), timeout=client.PATIENCE)
        client.ask(folder, Request("stop"), tell)
    except NotRunningError:
        return _stop_orphans(folder, tell)
    # It answers before it ends; what comes next may delete the folder or start another one.
    state.wait_until_unlocked(folder, _LAST_MOMENTS)
    return True


def _stop_orphans(folder: Home, tell: client.Tell) -> bool:
    """What a dead supervisor left running."""
    from titanium.supervise.cleanup import find_strays, stop_everything, stop_stray

    entries = record.load(folder.record)
    strays = find_strays(folder.root, entries)
    if not entries and not strays:
        return False
    descriptor = state.lock(folder)
    if descriptor is None:
        raise RunningError(
            f"another titanium is starting or stopping in {folder.root}", "Try again in a moment."
        )

    async def stop() -> None:
        await stop_everything(entries)
        await asyncio.gather(*(stop_stray(pid, name) for pid, name in strays.items()))

    try:
        asyncio.run(stop())
        for name in (*entries, *strays.values()):
            tell(Event(name, "stopped"))
        folder.record.unlink(missing_ok=True)
    finally:
        os.close(descriptor)
    return True


def orphans(folder: Home) -> dict[str, int]:
    """Processes that run without a supervisor: name -> pid."""
    return {
        name: entry.pid
        for name, entry in record.load(folder.record).items()
        if procfs.start_ticks(entry.pid) is not None
    }
