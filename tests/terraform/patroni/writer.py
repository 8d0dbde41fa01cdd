"""Writes without pause through the load balancer and remembers what was acknowledged."""

from __future__ import annotations

import asyncio
import itertools
import ssl
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

# Whatever ends a connection or a statement; nothing else may happen.
ERRORS = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)


@dataclass
class Writes:
    """`acknowledged`: (moment, number) of each write that the server confirmed; `failures`: moment
    and reason of each that it did not confirm (which may have been written all the same)."""

    acknowledged: list[tuple[float, int]] = field(default_factory=list)
    failures: list[tuple[float, str]] = field(default_factory=list)

    def longest_gap(self, since: float, until: float | None = None) -> float:
        """Longest time in seconds without an acknowledged write between two moments."""
        end = time.monotonic() if until is None else until
        inside = [moment for moment, _ in self.acknowledged if since <= moment <= end]
        edges = [since, *inside, end]
        return max(b - a for a, b in itertools.pairwise(edges))

    def gap_began(self, since: float) -> float:
        """When the write before the longest gap was acknowledged."""
        moments = [moment for moment, _ in self.acknowledged if moment >= since]
        pairs = itertools.pairwise([since, *moments, time.monotonic()])
        return max(pairs, key=lambda pair: pair[1] - pair[0])[0]

    def between(self, since: float, until: float | None = None) -> int:
        """How many were acknowledged."""
        end = time.monotonic() if until is None else until
        return sum(since <= moment <= end for moment, _ in self.acknowledged)

    def failed_since(self, since: float) -> list[str]:
        return [reason for moment, reason in self.failures if moment >= since]


def client_tls(authority: Path) -> ssl.SSLContext:
    """As the services ask for it: sslmode=verify-ca."""
    context = ssl.create_default_context(cafile=str(authority))
    context.check_hostname = False
    return context


class Writer:
    """One connection, one INSERT after the other, in a thread of its own; reconnects for ever."""

    def __init__(self, port: int, password: str, authority: Path, pause: float = 0.02) -> None:
        self.writes = Writes()
        self._port, self._password, self._pause = port, password, pause
        self._tls = client_tls(authority)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="writer")

    def __enter__(self) -> Writes:
        self._thread.start()
        return self.writes

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)

    async def _run(self) -> None:
        number = time.monotonic_ns()
        connection: asyncpg.Connection | None = None
        while not self._stop.is_set():
            try:
                if connection is None:
                    connection = await self._connect()
                number += 1
                await connection.execute(
                    "INSERT INTO drill (number) VALUES ($1)", number, timeout=5
                )
            except ERRORS as error:
                self.writes.failures.append((time.monotonic(), f"{type(error).__name__}: {error}"))
                if connection is not None:
                    connection.terminate()
                    connection = None
                await asyncio.sleep(0.1)
                continue
            self.writes.acknowledged.append((time.monotonic(), number))
            await asyncio.sleep(self._pause)
        if connection is not None:
            connection.terminate()

    async def _connect(self) -> asyncpg.Connection:
        return await asyncpg.connect(
            host="127.0.0.1",
            port=self._port,
            user="postgres",
            password=self._password,
            database="postgres",
            ssl=self._tls,
            timeout=3,
        )
