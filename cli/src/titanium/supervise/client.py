"""Asks a running supervisor: blocking, for commands."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from typing import BinaryIO

from titanium import state
from titanium.errors import NotRunningError, UnhealthyError
from titanium.layout import Home
from titanium.supervise.protocol import Event, PlatformStatus, Request, Result, decode, encode

Tell = Callable[[Event], None]
# Seconds in which a supervisor says how it is, however busy the machine.
PATIENCE = 10.0


def ignore(event: Event) -> None:
    """For callers that show nothing."""


def ask(home: Home, request: Request, tell: Tell = ignore, timeout: float | None = None) -> Result:
    """Send a request and wait for its result.

    NotRunningError when nobody listens, UnhealthyError when there is no answer in time.
    """
    connection = connect(home, timeout)
    if connection is None:
        raise not_running(home)
    with connection, connection.makefile("rb") as lines:
        try:
            connection.sendall(encode(request))
            if result := follow(lines, tell):
                return result
        except TimeoutError:
            raise silent(home) from None
        except OSError:
            pass
    raise ended(home)


def not_running(home: Home) -> NotRunningError:
    """Nobody listens."""
    return NotRunningError(f"no titanium is running in {home.root}", "Start it: titanium up -d")


def silent(home: Home) -> UnhealthyError:
    """Somebody listens, and does not answer."""
    pid = state.lock_holder(home)
    return UnhealthyError(
        f"the supervisor of {home.root} (pid {pid or 'unknown'}) does not answer",
        f"If it stays so: kill -9 {pid or 'PID'}; titanium up takes over what runs.",
    )


def ended(home: Home) -> NotRunningError:
    """It hung up before its answer."""
    return NotRunningError(
        f"the supervisor of {home.root} ended before it answered",
        f"Read {home.log('supervisor')}, then run titanium up.",
    )


def connect(home: Home, timeout: float | None = None) -> socket.socket | None:
    """A connection to the supervisor; None when there is none."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(timeout)
    try:
        connection.connect(str(home.control_socket))
    except OSError:
        connection.close()
        return None
    return connection


def follow(lines: Iterable[bytes] | BinaryIO, tell: Tell) -> Result | None:
    """Hand on events until the result; None when the other side ended without one."""
    for line in lines:
        message = decode(line)
        if isinstance(message, Result):
            return message
        if isinstance(message, Event):
            tell(message)
    return None


def status(home: Home, timeout: float = PATIENCE) -> PlatformStatus | None:
    """What the supervisor says of the platform; None when no supervisor runs."""
    try:
        result = ask(home, Request("status"), timeout=timeout)
    except NotRunningError:
        return None
    result.raise_failure()
    return PlatformStatus.from_json(result.body)
