"""A TCP proxy that does what a network load balancer does, as far as failover goes.

It asks each target as the module's health check says (without verifying its certificate, as AWS
does), sends new connections to healthy targets only, to all when none is (NLBs fail open), and
closes what is open to a target that has become unhealthy.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self


@dataclass
class Target:
    """`since`: when its state changed, `open`: how to close each connection to it."""

    address: str
    healthy: bool = False
    row: int = 0
    since: float = 0.0
    open: set[Callable[[], None]] = field(default_factory=set)


class LoadBalancer:
    """One listener and its target group, in a thread of its own."""

    def __init__(self, addresses: list[str], port: int, path: str, health: dict[str, Any]) -> None:
        self.targets = [Target(address) for address in addresses]
        self.target_port = port
        self.path = path
        self.health = health
        self.port = 0
        self._tls = ssl.create_default_context()
        self._tls.check_hostname = False
        self._tls.verify_mode = ssl.CERT_NONE
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"nlb {path}")
        self._stop = asyncio.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._started.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def healthy(self) -> list[str]:
        """Addresses of the targets that get new connections."""
        return [target.address for target in self.targets if target.healthy]

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        checks = [asyncio.create_task(self._check(target)) for target in self.targets]
        self._started.set()
        await self._stop.wait()
        server.close()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, *checks, return_exceptions=True)

    async def _check(self, target: Target) -> None:
        # Targets are not asked at the same moment.
        await asyncio.sleep(random.random() * 0.5)  # noqa: S311
        while True:
            began = time.monotonic()
            good = await self._asks(target.address)
            self._count(target, good)
            await asyncio.sleep(self.health["interval"] - (time.monotonic() - began))

    def _count(self, target: Target, good: bool) -> None:
        target.row = 0 if good == target.healthy else target.row + 1
        needed = self.health["healthy_threshold" if good else "unhealthy_threshold"]
        if target.row < needed:
            return
        target.healthy, target.row, target.since = good, 0, time.monotonic()
        if not good:
            for close in list(target.open):
                close()

    async def _asks(self, address: str) -> bool:
        request = f"GET {self.path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
        try:
            async with asyncio.timeout(self.health["timeout"]):
                reader, writer = await asyncio.open_connection(
                    address, self.health["port"], ssl=self._tls
                )
                try:
                    writer.write(request.encode())
                    status = (await reader.readline()).split()
                finally:
                    writer.transport.abort()
        except (OSError, TimeoutError, ssl.SSLError):
            return False
        return len(status) > 1 and status[1].decode() == self.health["matcher"]

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        candidates = [target for target in self.targets if target.healthy] or self.targets
        target = random.choice(candidates)  # noqa: S311
        try:
            async with asyncio.timeout(10):
                there, back = await asyncio.open_connection(target.address, self.target_port)
        except (OSError, TimeoutError):
            writer.transport.abort()
            return

        def close() -> None:
            writer.transport.abort()
            back.transport.abort()

        target.open.add(close)
        try:
            await asyncio.gather(_copy(reader, back), _copy(there, writer))
        except asyncio.CancelledError:
            pass  # the end of the balancer; asyncio would complain of it in a log
        finally:
            target.open.discard(close)
            close()


async def _copy(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, ssl.SSLError):
        while data := await source.read(65536):
            to.write(data)
            await to.drain()
    with contextlib.suppress(OSError, RuntimeError):
        to.transport.abort()
