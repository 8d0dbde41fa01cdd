"""Starts the load process and listens to it; nothing of Locust is imported here."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress

from titanium.errors import TitaniumError, UnhealthyError
from titanium.load.model import FAILED, Order, Progress, Summary, decode

_LAST_LINES = 12


def command(order: Order) -> list[str]:
    """The program that carries out an order."""
    return [sys.executable, "-P", "-m", "titanium.load", order.encode()]


def become(order: Order) -> None:
    """Turn this process into the load process: for the endless mode, which nobody watches."""
    sys.stdout.flush()
    arguments = command(order)
    os.execv(arguments[0], arguments)  # noqa: S606 - our own interpreter


def run(order: Order, tell: Callable[[Progress], None]) -> Summary:
    """Carry out an order; its summary. Ctrl-C ends the test early, a second one at once.

    UnhealthyError when the platform did not let the test begin.
    """
    before = signal.signal(signal.SIGTERM, _interrupt)
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command(order),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            encoding="utf-8",
            # Ctrl-C is for us: it ends with everything deleted and counted.
            start_new_session=True,
        )
        try:
            summary = _listen(process, tell)
        finally:
            signal.signal(signal.SIGTERM, before)
            if process.poll() is None:
                process.kill()
            process.wait()
        if summary is not None:
            return summary
        errors.seek(0)
        raise _failure(process.returncode, errors.read().decode("utf-8", "replace"))


def _listen(process: subprocess.Popen[str], tell: Callable[[Progress], None]) -> Summary | None:
    """Hand on progress until the summary; None when the process ended without one."""
    stopping = False
    while True:
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                process.wait()
                return None
            message = decode(line)
            if isinstance(message, Summary):
                return message
            tell(message)
        except KeyboardInterrupt:
            if stopping:
                raise
            stopping = True
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGINT)


def _failure(status: int, said: str) -> TitaniumError:
    """The child writes an error as its message and its hint; anything else is a crash."""
    lines = [line for line in said.splitlines() if line.strip()]
    if status == FAILED and lines:
        return UnhealthyError(lines[0], lines[1] if len(lines) > 1 else "")
    return TitaniumError(
        f"the load process ended with status {status}",
        "Run it again; report it with the lines above when it stays so.",
        tuple(lines[-_LAST_LINES:]),
    )


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt
