"""What the supervisor says of the platform, asked for at most once a second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from titanium.errors import TitaniumError
from titanium.supervise.protocol import PlatformStatus, ProcessStatus

Ask = Callable[[], Awaitable[PlatformStatus]]
MAX_AGE = 1.0
# Seconds; the supervisor itself gives every process one second to answer.
PATIENCE = 2.0


@dataclass(frozen=True, slots=True)
class Sight:
    """One look at the platform: `status` is None when the supervisor does not answer.

    `at` is when it was taken, in epoch seconds.
    """

    status: PlatformStatus | None
    at: float


class Watch:
    """Remembers the processes of the run, so that they stay known without a supervisor."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._asking = asyncio.Lock()
        self._sight = Sight(None, 0.0)
        self._asked = -MAX_AGE
        self.processes: tuple[ProcessStatus, ...] | None = None

    async def look(self) -> Sight:
        """The state of the platform, at most `MAX_AGE` seconds old."""
        async with self._asking:
            if time.monotonic() - self._asked >= MAX_AGE:
                self._sight = Sight(await self._status(), time.time())
                self._asked = time.monotonic()
        return self._sight

    async def process(self, name: str) -> ProcessStatus | None:
        """The process of that name; None when there is none, or nobody ever told."""
        found = self._find(name)
        if found is None:
            await self.look()
            found = self._find(name)
        return found

    def _find(self, name: str) -> ProcessStatus | None:
        return next((known for known in self.processes or () if known.name == name), None)

    async def _status(self) -> PlatformStatus | None:
        try:
            async with asyncio.timeout(PATIENCE):
                status = await self._ask()
        except (OSError, EOFError, ValueError, KeyError, TypeError, TitaniumError):
            return None
        # One that takes over what runs knows no process until it has read its configuration.
        if status.state != "starting" or self.processes is None:
            self.processes = status.processes
        return status
