"""Keeps the folder of logs small: by size, by age and in total.

The processes hold their logs open in append mode, so a log is copied and cut in place. One
that its writer can open anew is renamed instead, and loses nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from titanium.layout import GATEWAY, Home
from titanium.logs.parse import dissect
from titanium.logs.reading import LogFile, log_files
from titanium.supervise.probe import http_get

_MIB = 1024 * 1024
_DAY = 86_400.0
_BLOCK = 1 * _MIB
_PATIENCE = 5.0
# Copied again until so little is left that the cut loses next to nothing.
_ROUNDS = 5

Reopen = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much of the logs is kept.

    A log of more than `size` bytes, or whose first line is older than `age` seconds, is put
    aside as `.1`, the youngest of `generations`. What was put aside is deleted `keep` seconds
    later, or when the whole folder has more than `total` bytes, the oldest first.
    """

    size: int = 32 * _MIB
    generations: int = 4
    age: float = 7 * _DAY
    keep: float = 14 * _DAY
    total: int = 1024 * _MIB


BOUNDS = Bounds()


def rotate(
    folder: Path, bounds: Bounds = BOUNDS, reopen: Mapping[str, Reopen] | None = None
) -> list[str]:
    """Put large and old logs aside and delete the oldest parts; names of those put aside.

    `reopen` has, by a log's name, what makes its writer open it anew (an OSError: try again
    next time).
    """
    now = time.time()
    reopen = reopen or {}
    cut = []
    for file in log_files(folder):
        if file.generation:
            continue
        with contextlib.suppress(FileNotFoundError):
            if _is_due(file.path, bounds, now):
                if file.path.name in reopen:
                    _rename(file.path, bounds)
                else:
                    _copy_and_cut(file.path, bounds)
                cut.append(file.path.name)
    for name, ask in reopen.items():
        # Also when an earlier call failed: the writer still has the renamed file open.
        if not (folder / name).exists() and (folder / f"{name}.1").exists():
            with contextlib.suppress(OSError, EOFError, TimeoutError):
                ask()
    _delete_old(folder, bounds, now)
    return cut


def reopeners(home: Home) -> dict[str, Reopen]:
    """Logs that their writers can open anew: the gateway's access log."""

    async def ask() -> None:
        async with asyncio.timeout(_PATIENCE):
            await http_get("/reopen_logs", socket=home.admin_socket(GATEWAY), method="POST")

    return {"gateway-access.log": lambda: asyncio.run(ask())}


def _is_due(path: Path, bounds: Bounds, now: float) -> bool:
    size = path.stat().st_size
    if size > bounds.size:
        return True
    return size > 0 and now - _first_time(path, now) > bounds.age


def _first_time(path: Path, now: float) -> float:
    """Time of the first line that has one, among the first few; `now` when none has."""
    with path.open("rb") as file:
        for raw in file.read(16 * 1024).split(b"\n"):
            found = dissect(raw.decode("utf-8", "replace")).ts
            if found is not None:
                return found
    return now


def _generation(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")


def _make_room(path: Path, bounds: Bounds) -> None:
    """Every generation becomes one older; the oldest goes."""
    for number in range(bounds.generations, 0, -1):
        with contextlib.suppress(FileNotFoundError):
            if number == bounds.generations:
                _generation(path, number).unlink()
            else:
                _generation(path, number).rename(_generation(path, number + 1))


def _rename(path: Path, bounds: Bounds) -> None:
    _make_room(path, bounds)
    path.rename(_generation(path, 1))


def _copy_and_cut(path: Path, bounds: Bounds) -> None:
    """Only lines written between the last look and the cut are lost: a fair price for needing
    nothing from the writers."""
    copy = path.with_name(f".{path.name}.copy")
    try:
        _copy(path, copy, bounds.size)
        _make_room(path, bounds)
        copy.rename(_generation(path, 1))
    except OSError:
        # No room for the copy: the old lines are worth less than a working disk.
        copy.unlink(missing_ok=True)
    os.truncate(path, 0)


def _copy(path: Path, copy: Path, most: int) -> None:
    """Copy about the last `most` bytes, from a whole line on, and what is written meanwhile."""
    descriptor = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with path.open("rb") as source, os.fdopen(descriptor, "wb") as target:
        size = os.fstat(source.fileno()).st_size
        if size > 2 * most:
            source.seek(size - most)
            source.readline(_BLOCK)
        for _ in range(_ROUNDS):
            written = 0
            while data := source.read(_BLOCK):
                target.write(data)
                written += len(data)
                if target.tell() > 4 * most:
                    return
            target.flush()
            if not written:
                return


def _delete_old(folder: Path, bounds: Bounds, now: float) -> None:
    """Delete what was put aside long ago, and the oldest while the folder is too large."""
    aside: list[tuple[float, int, LogFile]] = []
    total = 0
    for file in log_files(folder):
        with contextlib.suppress(OSError):
            status = file.path.stat()
            total += status.st_size
            if file.generation:
                aside.append((status.st_mtime, status.st_size, file))
    aside.sort(key=lambda entry: entry[0])
    for modified, size, file in aside:
        if (
            total > bounds.total
            or now - modified > bounds.keep
            or file.generation > bounds.generations
        ):
            file.path.unlink(missing_ok=True)
            total -= size
