"""All logs of a run: searched from the newest line backwards, and followed."""

from __future__ import annotations

import heapq
import os
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path

from titanium.logs.follow import Tail
from titanium.logs.model import Line, Query, SearchResult, service_of
from titanium.logs.parse import dissect, parse
from titanium.logs.prefilter import Prefilter
from titanium.logs.reading import LONGEST, LogFile, blocks, log_files, open_log

# Lines of one log may be this far from the order of their times: a proxy writes the line of a
# request when the request ends, with the time of its beginning.
_DISORDER = 60.0
# How many lines before one without a time are asked for theirs.
_LOOK_BACK = 200
_UNKNOWN = -1.0
_RESULT_BYTES = 32 * 1024 * 1024

Cancelled = Callable[[], bool]
Progress = Callable[[int, int], None]
# A line, or None as a mark: what comes next is not newer than this time.
_Found = tuple[float, Line | None]


class LogFolder:
    """The folder with the logs of a run; holds nothing open and may be used from any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def processes(self) -> list[str]:
        """Names of the logs that there are, sorted."""
        return sorted({file.process for file in log_files(self._folder)})

    def services(self) -> list[str]:
        """Names of the services (postgres, gateway, ... included) that have a log, sorted."""
        return sorted({service_of(process) for process in self.processes()})

    def search(
        self,
        query: Query,
        limit: int = 500,
        cancelled: Cancelled = lambda: False,
        progress: Progress = lambda _scanned, _total: None,
        before: Tail | None = None,
    ) -> SearchResult:
        """The newest lines that match, at most `limit` and 32 MiB of them, the newest last.

        Reads each log no further back than it must. `cancelled` is asked and `progress` told
        (bytes read, bytes that there are) at least once a MiB. With `before`, a tail of the
        same folder, it ends exactly where that tail began.
        """
        scan = _Scan(self._folder, query, cancelled, progress, before)
        lines: list[Line] = []
        size = 0
        complete = True
        for line in scan.newest_first():
            if len(lines) >= limit or size > _RESULT_BYTES:
                complete = False
                break
            lines.append(line)
            size += len(line.raw)
        # Lines of the same moment keep the order in which they were written.
        lines.reverse()
        lines.sort(key=lambda line: line.ts)
        return SearchResult(lines, scan.scanned, complete and not scan.cut_short)

    def follow(self, query: Query, most_behind: int | None = None) -> Tail:
        """Lines that are written from now on; see Tail."""
        return Tail(self._folder, query, most_behind)


class _Scan:
    """One search under way."""

    def __init__(
        self,
        folder: Path,
        query: Query,
        cancelled: Cancelled,
        progress: Progress,
        before: Tail | None,
    ) -> None:
        self.scanned = 0
        self.cut_short = False
        self._query = query
        self._prefilter = Prefilter(query)
        self._cancelled = cancelled
        self._progress = progress
        self._before = before
        self._logs: dict[str, list[LogFile]] = {}
        self._total = 0
        for file in log_files(folder):
            if query.reads(file.process):
                self._logs.setdefault(file.process, []).append(file)
                self._total += _size(file.path)

    def newest_first(self) -> Iterator[Line]:
        """Matching lines of all logs, merged by time."""
        streams = [self._stream(files) for files in self._logs.values()]
        heads: list[tuple[float, int, Line | None]] = []
        for number, stream in enumerate(streams):
            _push(heads, number, stream)
        try:
            while heads and not self.cut_short:
                _, number, line = heapq.heappop(heads)
                if line is not None:
                    yield line
                self.cut_short = self._cancelled()
                _push(heads, number, streams[number])
        finally:
            for stream in streams:
                stream.close()

    def _stream(self, files: list[LogFile]) -> Generator[_Found, None, None]:
        """One process's lines, from the end of its log to the beginning of the oldest part."""
        for file in files:
            descriptor = open_log(file.path)
            if descriptor is None:
                continue
            try:
                status = os.fstat(descriptor)
                if self._query.since is not None and status.st_mtime < self._query.since:
                    # The last line was written before.
                    continue
                yield status.st_mtime, None
                end = status.st_size
                if self._before is not None and file.generation == 0:
                    end = self._before.began(file.process, status)
                yield from self._file(file.process, descriptor, end, status.st_mtime)
            finally:
                os.close(descriptor)

    def _file(self, process: str, descriptor: int, end: int, newest: float) -> Iterator[_Found]:
        query, mark, left = self._query, newest, end
        for block in blocks(descriptor, end):
            self.scanned += len(block)
            left -= len(block)
            self._progress(self.scanned, self._total)
            times = _Times(block, mark)
            oldest = times.first()
            if query.until is None or oldest <= query.until + _DISORDER:
                for start, stop in self._prefilter.spans(block):
                    raw = block[start : min(stop, start + LONGEST)]
                    line = parse(raw, process, _UNKNOWN)
                    if line.ts == _UNKNOWN:
                        line = replace(line, ts=times.before(start))
                    else:
                        times.learn(start, line.ts)
                    if query.matches(line):
                        yield line.ts, line
            mark = min(mark, oldest)
            if query.since is not None and oldest < query.since - _DISORDER:
                return
            yield mark, None


class _Times:
    """Times of lines of one block; `newer` is the time of what comes after the block."""

    def __init__(self, block: bytes, newer: float) -> None:
        self._block = block
        self._known = newer
        # Lines from here on have the time `_known`.
        self._from = len(block)

    def first(self) -> float:
        """About the time of the block's first line."""
        end = -1
        for _ in range(_LOOK_BACK):
            start = end + 1
            end = self._block.find(b"\n", start)
            line = self._block[start : end if end >= 0 else None]
            found = _time(line)
            if found is not None or end < 0:
                return self._known if found is None else found
        return self._known

    def learn(self, start: int, ts: float) -> None:
        """The line at byte `start` has a time: what is before it is not newer."""
        self._known, self._from = ts, start

    def before(self, start: int) -> float:
        """Time of the last line before byte `start` that has one. `start` must not grow."""
        if start > self._from:
            return self._known
        at = start
        for _ in range(_LOOK_BACK):
            if at <= 0:
                break
            begin = self._block.rfind(b"\n", 0, at - 1) + 1
            found = _time(self._block[begin : at - 1])
            at = begin
            if found is not None:
                self._known = found
                break
        self._from = at
        return self._known


def _time(line: bytes) -> float | None:
    return dissect(line[:LONGEST].decode("utf-8", "replace")).ts


def _push(
    heads: list[tuple[float, int, Line | None]], number: int, stream: Iterator[_Found]
) -> None:
    found = next(stream, None)
    if found is not None:
        heapq.heappush(heads, (-found[0], number, found[1]))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
