"""Facts about processes, read from /proc (Linux); nothing here needs a package."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")
HOME_MARK = "TITANIUM_HOME_MARK"
PROCESS_MARK = "TITANIUM_PROCESS_MARK"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who owns a listening port; `pid` is None when the process belongs to another user."""

    pid: int | None
    name: str

    def __str__(self) -> str:
        return "a process of another user" if self.pid is None else f"{self.name} (pid {self.pid})"


def _stat(pid: int) -> list[str] | None:
    """Fields of /proc/PID/stat from the state (index 0) on; None when the process is gone."""
    try:
        text = (PROC / str(pid) / "stat").read_text("utf-8", "replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()


def start_ticks(pid: int) -> int | None:
    """Start time in clock ticks since boot: with the pid it names one process of this boot.

    None when there is no such process, or only its unreaped remains.
    """
    fields = _stat(pid)
    if not fields or fields[0] in "ZX":
        return None
    return int(fields[19])


def boot_id() -> str:
    try:
        return (PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def uptime_seconds(ticks: int) -> float:
    """Seconds since a process that started at `ticks`."""
    now = float((PROC / "uptime").read_text().split()[0])
    return max(0.0, now - ticks / _TICKS)


def pids() -> Iterator[int]:
    for name in os.listdir(PROC):  # noqa: PTH208 - hundreds of entries, often
        if name.isdigit():
            yield int(name)


def family(pid: int, parents: dict[int, int] | None = None) -> list[int]:
    """`pid` and all its descendants."""
    table = parent_table() if parents is None else parents
    members = [pid]
    for member in members:
        members.extend(child for child, parent in table.items() if parent == member)
    return members


def parent_table() -> dict[int, int]:
    table: dict[int, int] = {}
    for pid in pids():
        fields = _stat(pid)
        if fields:
            table[pid] = int(fields[1])
    return table


def resident_bytes(pid: int) -> int:
    return sum(_memory(pid))


def family_bytes(pids: Iterable[int]) -> int:
    """Resident memory of a process and its children; what they can share counts once."""
    found = [_memory(pid) for pid in pids]
    return sum(own for own, _ in found) + max((shared for _, shared in found), default=0)


def _memory(pid: int) -> tuple[int, int]:
    """Resident bytes: of its own, and of files and shared memory. 0 when it has ended."""
    try:
        resident, shared = (PROC / str(pid) / "statm").read_text().split()[1:3]
    except (OSError, ValueError):
        return 0, 0
    return (int(resident) - int(shared)) * _PAGE, int(shared) * _PAGE


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, with that of its children that have ended."""
    fields = _stat(pid)
    return sum(int(field) for field in fields[11:15]) / _TICKS if fields else 0.0


def name_of(pid: int) -> str:
    try:
        return (PROC / str(pid) / "comm").read_text().strip()
    except OSError:
        return "unknown"


def working_folder(pid: int) -> str | None:
    try:
        return str((PROC / str(pid) / "cwd").readlink())
    except OSError:
        return None


def marked(home: Path) -> dict[int, str]:
    """Processes that a supervisor of this state folder started: pid -> process name."""
    wanted = f"{HOME_MARK}={home}".encode()
    found: dict[int, str] = {}
    for pid in pids():
        try:
            variables = (PROC / str(pid) / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if wanted in variables and start_ticks(pid) is not None:
            prefix = f"{PROCESS_MARK}=".encode()
            names = [v[len(prefix) :].decode() for v in variables if v.startswith(prefix)]
            found[pid] = names[0] if names else ""
    return found


def port_holder(port: int) -> Holder | None:
    """The process that listens on TCP `port` (any address, IPv4 or IPv6); None when nobody does."""
    inodes = _listening_inodes(port)
    if not inodes:
        return None
    links = {f"socket:[{inode}]" for inode in inodes}
    for pid in pids():
        if not links.isdisjoint(_open_files(pid)):
            return Holder(pid, name_of(pid))
    return Holder(None, "")


def _open_files(pid: int) -> set[str]:
    """Targets of its descriptors; empty for a process of another user."""
    targets: set[str] = set()
    with contextlib.suppress(OSError):
        for descriptor in (PROC / str(pid) / "fd").iterdir():
            with contextlib.suppress(OSError):
                targets.add(str(descriptor.readlink()))
    return targets


def _listening_inodes(port: int) -> set[str]:
    found: set[str] = set()
    for table in ("net/tcp", "net/tcp6"):
        try:
            lines = (PROC / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                found.add(fields[9])
    return found
