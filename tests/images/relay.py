"""A TCP relay that spreads connections as a Kubernetes Service does.

Each new connection goes to one of the present endpoints; when an endpoint is taken out, the
connections to it live on, as those that kube-proxy made do.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

# A port of this machine, or a Unix socket.
Endpoint = int | str


class Relay:
    """Listens on `port` of 127.0.0.1; use `relay`."""

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        self.port = 0
        self.open: Counter[Endpoint] = Counter()
        self.seen: Counter[Endpoint] = Counter()
        self.set(endpoints)

    def set(self, endpoints: Sequence[Endpoint]) -> None:
        """From now on new connections go to these."""
        self._turn = itertools.cycle(endpoints)

    async def serve(self, ready: threading.Event, stop: asyncio.Event) -> None:
        """Until `stop`."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await stop.wait()
        server.close()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await asyncio.sleep(0)  # the transports close in the loop's next round

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        endpoint = next(self._turn)
        self.open[endpoint] += 1
        self.seen[endpoint] += 1
        down: asyncio.StreamWriter | None = None
        try:
            if isinstance(endpoint, int):
                up, down = await asyncio.open_connection("127.0.0.1", endpoint)
            else:
                up, down = await asyncio.open_unix_connection(endpoint)
            await asyncio.gather(_pump(reader, down), _pump(up, writer))
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            for one in (writer, down):
                if one is not None:
                    one.transport.abort()
            self.open[endpoint] -= 1


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        await writer.drain()
    writer.close()


@contextmanager
def relay(*endpoints: Endpoint) -> Iterator[Relay]:
    """A running relay, in a thread of its own."""
    made, ready = Relay(endpoints), threading.Event()
    loop, stop = asyncio.new_event_loop(), asyncio.Event()

    def work() -> None:
        loop.run_until_complete(made.serve(ready, stop))
        loop.close()

    thread = threading.Thread(target=work)
    thread.start()
    assert ready.wait(5)
    try:
        yield made
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
