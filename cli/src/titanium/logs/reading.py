"""Log files on disk: which there are, and their bytes from the end to the beginning."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CHUNK = 512 * 1024
# A longer line is cut: its beginning is kept.
LONGEST = 1024 * 1024
_NAME = re.compile(r"(.+)\.log(?:\.(\d{1,3}))?")


@dataclass(frozen=True, slots=True)
class LogFile:
    """A log (`generation` 0) or what was put aside of it (1 is the youngest)."""

    path: Path
    process: str
    generation: int


def log_files(folder: Path) -> list[LogFile]:
    """Every log in the folder by name, each followed by its generations, the youngest first."""
    try:
        names = os.listdir(folder)  # noqa: PTH208 - names are all that is needed, and often
    except OSError:
        return []
    found = [
        LogFile(folder / name, match[1], int(match[2] or 0))
        for name in names
        if (match := _NAME.fullmatch(name)) is not None
    ]
    return sorted(found, key=lambda file: (file.process, file.generation))


def open_log(path: Path) -> int | None:
    """Descriptor to read from; None when it is gone, unreadable or no regular file."""
    try:
        # A named pipe must not stop us.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    return descriptor


def blocks(descriptor: int, end: int, chunk: int = CHUNK) -> Iterator[bytes]:
    """Whole lines before byte `end`, about `chunk` bytes at a time, the last block first.

    Memory is bounded by `chunk` and LONGEST, whatever the file holds.
    """
    carry = b""
    while end > 0:
        start = max(0, end - chunk)
        data = os.pread(descriptor, end - start, start)
        if len(data) < end - start:
            # Cut meanwhile: what was here lies in a younger generation now.
            return
        end = start
        cut = data.find(b"\n") if start else -1
        if start and cut < 0:
            carry = (data + carry)[:LONGEST]
            continue
        yield data[cut + 1 :] + carry
        carry = data[:cut] if start else b""
