"""New lines of all logs, as they are written; logs may be cut, renamed, created and removed."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Self

from titanium.logs.model import Line, Query, service_of
from titanium.logs.parse import parse
from titanium.logs.reading import LONGEST, log_files, open_log


class Tail:
    """What is written after its creation; `poll` as often as you like, `close` at the end.

    One reader at a time. A log that is more than `most_behind` bytes ahead is read on from
    near its end, with a line that says so; None reads everything.
    """

    def __init__(self, folder: Path, query: Query, most_behind: int | None = None) -> None:
        self._folder = folder
        self._query = query
        self._most_behind = most_behind
        self._followed: dict[str, _Followed] = {}
        self._began: dict[str, tuple[int, int]] = {}
        for process, path in self._logs().items():
            if (followed := _Followed.open(path, process, at_end=True)) is not None:
                self._followed[process] = followed
                self._began[process] = (followed.inode, followed.position)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        for followed in self._followed.values():
            followed.close()
        self._followed.clear()

    def began(self, process: str, status: os.stat_result) -> int:
        """The byte of that log from which on this tail shows lines; 0: all of it."""
        inode, position = self._began.get(process, (-1, 0))
        # Another file: it was put aside meanwhile, and this one is read from its beginning.
        return min(position, status.st_size) if inode == status.st_ino else 0

    def poll(self) -> list[Line]:
        """Matching lines since the last call, the newest last: at most 1 MiB of each log.

        Never waits. `behind` tells whether there is more.
        """
        found: list[Line] = []
        for process, path in self._logs().items():
            followed = self._followed.get(process)
            if followed is None:
                followed = _Followed.open(path, process, at_end=False)
            elif followed.was_replaced(path):
                found += followed.read(self._most_behind)
                if followed.behind:
                    continue
                followed.close()
                followed = _Followed.open(path, process, at_end=False)
            if followed is None:
                self._followed.pop(process, None)
                continue
            self._followed[process] = followed
            found += followed.read(self._most_behind)
        lines = [line for line in found if self._query.matches(line)]
        lines.sort(key=lambda line: line.ts)
        return lines

    @property
    def behind(self) -> bool:
        """Whether the last poll left lines for the next one."""
        return any(followed.behind for followed in self._followed.values())

    def _logs(self) -> dict[str, Path]:
        return {
            file.process: file.path
            for file in log_files(self._folder)
            if file.generation == 0 and self._query.reads(file.process)
        }


class _Followed:
    """One log: an open file and how far it was read."""

    def __init__(self, descriptor: int, process: str, inode: int, position: int) -> None:
        self.inode = inode
        self.position = position
        self.behind = False
        self._descriptor = descriptor
        self._process = process
        self._last = time.time()
        # In the rest of a line that was too long.
        self._skipping = False

    @classmethod
    def open(cls, path: Path, process: str, *, at_end: bool) -> _Followed | None:
        descriptor = open_log(path)
        if descriptor is None:
            return None
        status = os.fstat(descriptor)
        end = _last_whole(descriptor, status.st_size) if at_end else 0
        return cls(descriptor, process, status.st_ino, end)

    def close(self) -> None:
        os.close(self._descriptor)

    def was_replaced(self, path: Path) -> bool:
        try:
            return path.stat().st_ino != self.inode
        except OSError:
            # Gone for the moment: the next poll sees what takes its place.
            return False

    def read(self, most_behind: int | None) -> list[Line]:
        size = os.fstat(self._descriptor).st_size
        if size < self.position:
            # Cut in place.
            self.position, self._skipping = 0, False
        lines: list[Line] = []
        if most_behind is not None and size - self.position > most_behind:
            lines.append(self._skip_to(size - LONGEST))
        data = os.pread(self._descriptor, LONGEST, self.position)
        whole = data.rfind(b"\n") + 1
        if not whole and len(data) == LONGEST:
            # Its beginning is shown; the rest of it is left out.
            if not self._skipping:
                lines.append(self._parse(data))
            self._skipping, whole = True, len(data)
        elif whole:
            written = data[: whole - 1].split(b"\n")
            if self._skipping:
                del written[0]
                self._skipping = False
            lines += [self._parse(line) for line in written if line]
        self.position += whole
        self.behind = whole > 0 and size > self.position
        return lines

    def _parse(self, raw: bytes) -> Line:
        line = parse(raw, self._process, self._last)
        self._last = line.ts
        return line

    def _skip_to(self, position: int) -> Line:
        left_out = position - self.position
        self.position, self._skipping = position, True
        event = f"{left_out:,} bytes left out: the log grows faster than it is shown"
        return Line(time.time(), "warning", service_of(self._process), self._process, event)


def _last_whole(descriptor: int, size: int) -> int:
    """Size of the log up to its last whole line: the writer may be in the middle of one."""
    end = size
    while end > 0:
        start = max(0, end - 64 * 1024)
        found = os.pread(descriptor, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        if size - start > LONGEST:
            return size
        end = start
    return 0
