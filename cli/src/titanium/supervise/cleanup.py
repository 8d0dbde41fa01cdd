"""Ending processes without a supervisor, and finding what a dead one left running."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from pathlib import Path

from titanium.supervise import procfs
from titanium.supervise.process import Process
from titanium.supervise.record import Entry


async def stop_entry(entry: Entry) -> None:
    """End a recorded process the way its kind wants it; nothing happens when it is gone."""
    process = Process.adopt(entry.pid, entry.ticks)
    if process is not None:
        await process.stop(signal.Signals(entry.stop_signal), entry.stop_within)


async def stop_everything(entries: Mapping[str, Entry]) -> None:
    """End all recorded processes, the deepest level first."""
    for level in sorted({entry.level for entry in entries.values()}, reverse=True):
        await asyncio.gather(
            *(stop_entry(entry) for entry in entries.values() if entry.level == level)
        )


def find_strays(home: Path, known: Mapping[str, Entry]) -> dict[int, str]:
    """Processes that carry this folder's mark and belong to no recorded process: pid -> name.

    Only the topmost of a family is named; it ends its own children.
    """
    marked = procfs.marked(home)
    if not marked:
        return {}
    parents = procfs.parent_table()
    ours = {os.getpid()}
    for entry in known.values():
        ours.update(procfs.family(entry.pid, parents))
    strays = {pid: name for pid, name in marked.items() if pid not in ours}
    return {pid: name for pid, name in strays.items() if parents.get(pid) not in strays}


async def stop_stray(pid: int, name: str) -> None:
    ticks = procfs.start_ticks(pid)
    process = Process.adopt(pid, ticks) if ticks is not None else None
    if process is not None:
        # PostgreSQL would wait for its clients on SIGTERM; SIGINT is its fast shutdown.
        await process.stop(signal.SIGINT if name == "postgres" else signal.SIGTERM, 5.0)
