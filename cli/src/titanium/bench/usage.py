"""CPU time and memory of the platform's processes, each with the children that have no name."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from titanium.bench.model import Memory, Usage
from titanium.supervise import procfs

_ROLLUP = "/proc/{}/smaps_rollup"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """CPU seconds of every process since it started, at one moment of the monotonic clock."""

    moment: float
    cpu: Mapping[str, float]


def snapshot(pids: Mapping[str, int]) -> Snapshot:
    """Cheap enough for the beginning and end of a measurement."""
    families = _families(pids)
    cpu = {name: sum(_cpu(pid) for pid in family) for name, family in families.items()}
    return Snapshot(time.monotonic(), cpu)


def memory(pids: Mapping[str, int]) -> Memory:
    """What every process holds; a process that is gone holds nothing."""
    return Memory({name: _memory(family) for name, family in _families(pids).items()})


def between(before: Snapshot, after: Snapshot, held: Memory) -> dict[str, Usage]:
    """CPU in percent of a core between two snapshots, with memory `held` at the end."""
    seconds = max(after.moment - before.moment, 1e-9)
    return {
        name: Usage(
            cpu=100 * max(0.0, after.cpu.get(name, 0.0) - before.cpu.get(name, 0.0)) / seconds,
            resident=resident,
            proportional=proportional,
        )
        for name, (resident, proportional) in held.processes.items()
    }


def _families(pids: Mapping[str, int]) -> dict[str, list[int]]:
    """Each process with its descendants, without those that have a name of their own: the
    supervisor is the parent of everything."""
    named = frozenset(pids.values())
    table = {pid: parent for pid, parent in procfs.parent_table().items() if pid not in named}
    return {name: procfs.family(pid, table) for name, pid in pids.items()}


def _cpu(pid: int) -> float:
    with suppress(psutil.Error):
        times = psutil.Process(pid).cpu_times()
        return float(times.user + times.system)
    return 0.0


def _memory(family: Iterable[int]) -> tuple[int, int]:
    family = tuple(family)
    resident = sum(procfs.resident_bytes(pid) for pid in family)
    return resident, sum(proportional_bytes(pid) for pid in family)


def proportional_bytes(pid: int) -> int:
    """Proportional set size: shared pages divided among their users; 0 when it cannot be read."""
    with suppress(OSError):
        for line in Path(_ROLLUP.format(pid)).read_text("ascii", "replace").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
