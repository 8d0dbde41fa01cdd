"""A cache server that tests kill, start and slow down at will."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from titanium.tools import find_redis


class RedisServer:
    """A redis-server on a Unix socket, to be started and killed at will."""

    def __init__(self, folder: Path) -> None:
        self._binary = find_redis()
        self._process: subprocess.Popen[bytes] | None = None
        self.folder = folder
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}"

    def start(self) -> None:
        """Start it, empty, and wait until it listens."""
        self._process = subprocess.Popen(
            [str(self._binary), "--port", "0", "--unixsocket", str(self.socket), "--save", ""],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 10
        while not self.socket.exists():
            assert time.monotonic() < deadline, "redis-server does not start"
            time.sleep(0.01)

    def kill(self) -> None:
        """SIGKILL, as when the machine's memory ran out."""
        if self._process:
            self._process.kill()
            self._process.wait(10)
            self._process = None
            self.socket.unlink(missing_ok=True)


class DelayingProxy:
    """A Unix socket in front of another; `delay` seconds are added to each answer."""

    def __init__(self, path: Path, target: Path) -> None:
        self.path, self.target, self.delay = path, target, 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    async def _pump(self, reader: Any, writer: Any, slow: bool) -> None:
        try:
            while data := await reader.read(65536):
                if slow and self.delay:
                    await asyncio.sleep(self.delay)
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up, down = await asyncio.open_unix_connection(str(self.target))
        for task in (
            asyncio.create_task(self._pump(reader, down, slow=False)),
            asyncio.create_task(self._pump(up, writer, slow=True)),
        ):
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def run(self) -> AsyncIterator[DelayingProxy]:
        """Serve until the generator is closed."""
        server = await asyncio.start_unix_server(self._accept, str(self.path))
        yield self
        server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)  # the transports close in the loop's next round
