"""Mixed traffic at a constant rate, like visitors who do not wait for each other.

The loop is open: request number i is sent at i/rate seconds whatever became of the others, and
its latency counts from that moment. So a platform that stalls cannot slow its own examination.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping, Sequence

from titanium.bench.http import Client
from titanium.bench.model import Load, percentile

RATE = 100
# Requests in a hundred: 80 reads, 15 lists and searches, 5 writes.
SHARES: Mapping[str, int] = {"read": 80, "list": 9, "search": 6, "create": 3, "edit": 2}
_ANSWER_WITHIN = 5.0


def schedule(requests: Mapping[str, Sequence[bytes]], seconds: float, seed: int = 1) -> list[bytes]:
    """The requests of `seconds`, in order; each hundred holds exactly its shares, shuffled."""
    chance = random.Random(seed)  # noqa: S311 - a repeatable order, not a secret
    kinds = [kind for kind, share in SHARES.items() for _ in range(share)]
    ordered: list[bytes] = []
    while len(ordered) < seconds * RATE:
        chance.shuffle(kinds)
        ordered += [chance.choice(requests[kind]) for kind in kinds]
    return ordered[: round(seconds * RATE)]


async def drive(port: int, requests: Sequence[bytes], rate: float = RATE) -> Load:
    """Send `requests` to a port on loopback, `rate` a second, and wait for the last answer."""
    client = Client(port)
    latencies: list[float] = []
    refused = broken = 0

    async def one(request: bytes, due: float) -> None:
        nonlocal refused, broken
        try:
            async with asyncio.timeout(_ANSWER_WITHIN):
                answer = await client.send(request)
        except (OSError, EOFError):  # TimeoutError is an OSError
            broken += 1
            return
        latencies.append(1000 * (time.perf_counter() - due))
        refused += answer.status >= 400

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number, request in enumerate(requests):
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(one(request, due))
    seconds = time.perf_counter() - began
    await client.close()
    if not latencies:
        return Load(0, seconds, 0.0, 0.0, 0.0, refused, broken)
    return Load(
        requests=len(latencies),
        seconds=seconds,
        p50=percentile(latencies, 0.50),
        p95=percentile(latencies, 0.95),
        p99=percentile(latencies, 0.99),
        refused=refused,
        broken=broken,
    )
