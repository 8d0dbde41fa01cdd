"""The supervisor's ear: answers requests on `run/supervisor.sock` (0600, one user)."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from titanium.errors import StateError, TitaniumError, UsageError
from titanium.supervise.protocol import Event, Request, Result, decode, encode

Tell = Callable[[Event], None]
Handler = Callable[[Request], Awaitable[Result]]
_LINE = 64 * 1024


class Control:
    """Serves the control socket; every open connection hears the events meanwhile."""

    def __init__(self, path: Path, handler: Handler) -> None:
        self._path = path
        self._handler = handler
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def open(self) -> None:
        """Listen. Only the holder of the folder's lock may do this: an old socket is replaced."""
        self._path.unlink(missing_ok=True)
        mask = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(
                self._serve, str(self._path), limit=_LINE
            )
        finally:
            os.umask(mask)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.close()
        self._path.unlink(missing_ok=True)

    def tell(self, event: Event) -> None:
        for writer in self._writers:
            writer.write(encode(event))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            line = await reader.readline()
            result = await self._answer(line)
            writer.write(encode(result))
            await writer.drain()
        except (OSError, ValueError):
            return
        finally:
            self._writers.discard(writer)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, line: bytes) -> Result:
        try:
            request = decode(line)
        except ValueError as error:
            hint = "If the supervisor is of another version: titanium down, then titanium up -d."
            return Result.failure(UsageError(str(error), hint))
        if not isinstance(request, Request):
            return Result.failure(UsageError("expected a request"))
        try:
            return await self._handler(request)
        except TitaniumError as error:
            return Result.failure(error)
        except OSError as error:
            return Result.failure(
                StateError(
                    f"cannot use {error.filename or self._path.parent}: {error.strerror}",
                    "Free space, or correct the folder's permissions.",
                )
            )
