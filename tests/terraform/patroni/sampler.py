"""Asks every server itself, past every proxy, whether it takes writes: every 200 ms."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Self

import asyncpg

from tests.terraform.patroni.cluster import Cluster
from tests.terraform.patroni.writer import ERRORS, client_tls

INTERVAL = 0.2
_TABLE = "CREATE TABLE IF NOT EXISTS samples (node text PRIMARY KEY, number bigint)"
_WRITE = """INSERT INTO samples VALUES ($1, 1)
ON CONFLICT (node) DO UPDATE SET number = samples.number + 1"""


class Sampler:
    """`accepted`: (moment, node) of every write that a server confirmed."""

    def __init__(self, cluster: Cluster) -> None:
        self.accepted: list[tuple[float, str]] = []
        self._cluster, self._stop = cluster, threading.Event()
        self._password, self._tls = cluster.password, client_tls(cluster.authority)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="sampler")

    def __enter__(self) -> Self:
        self._cluster.psql(self._cluster.leader(), _TABLE)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)

    def last(self, node: str, since: float) -> float:
        """Seconds from `since` to the last write that `node` took; 0 when it took none."""
        moments = [moment - since for moment, name in self.accepted if name == node]
        return max([0.0, *moments])

    def two_writable(self) -> int:
        """Samples of a server that took a write after another had become the one that does.

        Between two settled states the leader changes once: whoever led before must not come back.
        """
        seen: list[str] = []
        count = 0
        for _, name in sorted(self.accepted):
            if name not in seen:
                seen.append(name)
            count += name != seen[-1]
        return count

    async def _run(self) -> None:
        await asyncio.gather(*(self._watch(name) for name in self._cluster.nodes))

    async def _watch(self, name: str) -> None:
        node, connection = self._cluster.nodes[name], None
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                if connection is None:
                    connection = await asyncpg.connect(
                        host=node.address, port=self._cluster.ports["postgres"], user="postgres",
                        password=self._password, database="postgres", ssl=self._tls, timeout=2,
                    )  # fmt: skip
                await connection.execute(_WRITE, name, timeout=2)
                self.accepted.append((time.monotonic(), name))
            except asyncpg.ReadOnlySQLTransactionError:
                pass  # a replica says so at once, and keeps the connection
            except ERRORS:
                if connection is not None:
                    connection.terminate()
                connection = None
            await asyncio.sleep(max(0.0, INTERVAL - (time.monotonic() - began)))
        if connection is not None:
            connection.terminate()
