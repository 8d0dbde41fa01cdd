"""One running process: started by this supervisor, or found running and adopted."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from titanium.errors import StateError, ToolMissingError, UnhealthyError
from titanium.supervise import procfs

# What a process gets from the supervisor's own environment. None of it is part of the
# configuration hash: another shell's PATH must not restart a running platform.
INHERITED = (
    "PATH",
    "HOME",
    "TMPDIR",
    "TZ",
    "LD_LIBRARY_PATH",
    "PYTHONPATH",
    "COVERAGE_PROCESS_START",
    "COVERAGE_PROCESS_CONFIG",
)
_FULL = os.strerror(errno.ENOSPC)
# Envoy's loggers of stack traces.
_TRACES = ('"logger": "backtrace"', '"logger": "envoy_bug"')


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of a process whose own variables are `variables`."""
    kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return {**kept, "LANG": "C.UTF-8", **variables}


def open_log(path: Path) -> int:
    """Descriptor to append to, readable by the owner alone; StateError when that is impossible."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StateError(
            f"cannot write {path}: {error.strerror}", "Free space or fix the folder's permissions."
        ) from None


def launch(
    argv: tuple[str, ...], *, folder: Path, log: Path, env: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, so that it outlives its starter's terminal."""
    output = open_log(log)
    try:
        _make(folder)
        return subprocess.Popen(
            argv,
            cwd=folder,
            env=environment(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    except (FileNotFoundError, PermissionError) as error:
        raise ToolMissingError(
            f"cannot run {argv[0]}: {error.strerror}", "Run `make up` again to install it."
        ) from None
    except OSError as error:
        raise StateError(
            f"cannot start {argv[0]}: {error.strerror}", "Free memory or processes, then try again."
        ) from None
    finally:
        os.close(output)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StateError(
            f"cannot make the folder {folder}: {error.strerror}",
            "Free space, or correct what is in its place and its permissions.",
        ) from None


def describe_exit(code: int | None) -> str:
    if code is None:
        return "exited"
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"was killed by {signal.Signals(-code).name}"
    return f"exited with status {code}"


class Process:
    """A live process, watched through a pidfd: the same for a child and for an adopted one."""

    def __init__(self, pid: int, ticks: int, child: subprocess.Popen[bytes] | None) -> None:
        self.pid = pid
        self.ticks = ticks
        self._child = child
        self._pidfd = os.pidfd_open(pid)
        self._gone = asyncio.Event()
        self._code: int | None = None
        asyncio.get_running_loop().add_reader(self._pidfd, self._on_exit)

    @classmethod
    def start(
        cls, argv: tuple[str, ...], *, folder: Path, log: Path, env: Mapping[str, str]
    ) -> Process:
        child = launch(argv, folder=folder, log=log, env=env)
        # An unreaped child keeps its pid, so this cannot name somebody else.
        return cls(child.pid, procfs.start_ticks(child.pid) or 0, child)

    @classmethod
    def adopt(cls, pid: int, ticks: int) -> Process | None:
        """The process of that pid and start time; None when it is gone."""
        try:
            process = cls(pid, ticks, None)
        except OSError:
            return None
        if procfs.start_ticks(pid) != ticks:
            process.forget()
            return None
        return process

    @property
    def running(self) -> bool:
        return not self._gone.is_set()

    async def wait(self) -> int | None:
        """Wait for its end; the exit status (negative: a signal), None for an adopted process."""
        await self._gone.wait()
        return self._code

    def send(self, number: signal.Signals) -> None:
        if self.running:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                signal.pidfd_send_signal(self._pidfd, number)

    async def stop(self, number: signal.Signals, within: float) -> bool:
        """Ask it to end; after `within` seconds kill its whole process group. True if it obeyed."""
        self.send(number)
        try:
            async with asyncio.timeout(within):
                await self.wait()
        except TimeoutError:
            await self.kill()
            return False
        return True

    async def kill(self) -> None:
        if self.running:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            self.send(signal.SIGKILL)
            await self.wait()

    def forget(self) -> None:
        """Stop watching; the process itself goes on."""
        if self._pidfd >= 0:
            with contextlib.suppress(RuntimeError):
                asyncio.get_running_loop().remove_reader(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = -1
        if self._child is not None and self._child.returncode is None:
            # Keeps Popen's finalizer quiet: leaving the child running is the intention.
            self._child.returncode = 0

    def _on_exit(self) -> None:
        if self._child is not None:
            self._code = self._child.wait()
        self._gone.set()
        self.forget()


def failure(what: str, log: Path, since: int, hint: str) -> UnhealthyError:
    """The error of a program that failed, with what it wrote since byte `since` of its log.

    `hint` is the next step for most reasons; a full disk has another one.
    """
    # Without the stack traces of a crashed proxy: its reason stands before them.
    lines = tail(log, 100, since)
    words = tuple(line for line in lines if not any(t in line for t in _TRACES))[-12:]
    if any(_FULL in line for line in words):
        hint = f"Free space on the disk of {log.parent.parent}; no data is lost."
    return UnhealthyError(what, hint or f"Read {log}, or run `titanium logs {log.stem}`.", words)


def tail(path: Path, lines: int = 12, since: int = 0) -> tuple[str, ...]:
    """The last lines of a log, not before byte `since`: as many as fit in 256 bytes each."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(since if since <= size else 0, size - max(16 * 1024, lines * 256)))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ()
    return tuple(line.rstrip() for line in text.splitlines() if line.strip())[-lines:]


def size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
