"""A task that runs beside the requests for as long as its owner is open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine


class Background:
    """Runs `work`, which never returns by itself, between `start` and `stop`."""

    def __init__(self, name: str, work: Callable[[], Coroutine[None, None, None]]) -> None:
        self._name = name
        self._work = work
        self._task: asyncio.Task[None] | None = None

    @property
    def alive(self) -> bool:
        """Whether it runs: false before the start, after the stop, and when it has died."""
        return self._task is not None and not self._task.done()

    def start(self) -> None:
        """Begin; must be called inside the event loop, once."""
        self._task = asyncio.create_task(self._work(), name=self._name)

    async def stop(self) -> None:
        """Cancel it and wait until it is gone; nothing when it never began."""
        # A library may lose a cancellation (redis-py does while it connects): once is not enough.
        while self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=0.1)
        if self._task is not None and not self._task.cancelled():
            self._task.exception()  # whoever needs to know asked `alive`
