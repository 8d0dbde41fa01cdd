"""Asks a running supervisor: asynchronous, for processes that ask all the time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from titanium.layout import Home
from titanium.supervise.client import PATIENCE, ended, ignore, not_running, silent
from titanium.supervise.protocol import Event, PlatformStatus, Request, Result, decode, encode

_LINE = 1024 * 1024


class SupervisorLink:
    """One connection for each request: nothing to repair when the supervisor is replaced."""

    def __init__(self, home: Home) -> None:
        self._home = home

    async def status(self, timeout: float = PATIENCE) -> PlatformStatus:
        """How the platform is, at most a second ago; raises as `ask` does."""
        result = await self.ask(Request("status", cached=True), timeout=timeout)
        return PlatformStatus.from_json(result.body)

    async def ask(
        self,
        request: Request,
        tell: Callable[[Event], None] = ignore,
        timeout: float | None = None,
    ) -> Result:
        """The result of a request that succeeded; `tell` hears what happens meanwhile.

        Raises the TitaniumError of one that failed; NotRunningError when nobody listens,
        UnhealthyError when there is no answer within `timeout` seconds.
        """
        try:
            async with asyncio.timeout(timeout):
                result = await self._exchange(request, tell)
        except TimeoutError:
            raise silent(self._home) from None
        result.raise_failure()
        return result

    async def _exchange(self, request: Request, tell: Callable[[Event], None]) -> Result:
        try:
            reader, writer = await asyncio.open_unix_connection(
                str(self._home.control_socket), limit=_LINE
            )
        except OSError:
            raise not_running(self._home) from None
        try:
            writer.write(encode(request))
            await writer.drain()
            async for line in reader:
                message = decode(line)
                if isinstance(message, Result):
                    return message
                if isinstance(message, Event):
                    tell(message)
        except OSError:
            pass
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        raise ended(self._home)
