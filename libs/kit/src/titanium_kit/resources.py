"""What a service holds open while it runs: started in order, stopped in reverse."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Protocol, runtime_checkable

from titanium_kit.logs import get_logger

logger = get_logger(__name__)

CHECK_TIMEOUT = 1.0


@runtime_checkable
class Resource(Protocol):
    """A database pool, cache, client or background task that the application owns.

    `required` tells whether the service can do its work without it: the loss of a resource
    that is not required shows in the health document but keeps the service ready.
    """

    name: str
    required: bool

    async def start(self) -> None:
        """Open it. Must not fail because a peer is away: that is what `check` reports."""

    async def stop(self) -> None:
        """Close it; called once, also after a failed start of a later resource."""

    async def check(self) -> None:
        """Return when it works; raise any exception when it does not."""


@asynccontextmanager
async def running(resources: Sequence[Resource]) -> AsyncIterator[None]:
    """Start `resources` in order and stop them in reverse."""
    async with AsyncExitStack() as stack:
        for resource in resources:
            stack.push_async_callback(resource.stop)
            await resource.start()
        yield


async def check_all(resources: Sequence[Resource]) -> tuple[bool, dict[str, str]]:
    """Ask every resource at once: (ready, {name: "ok" or what is wrong})."""

    async def one(resource: Resource) -> str:
        try:
            async with asyncio.timeout(CHECK_TIMEOUT):
                await resource.check()
        except TimeoutError:
            return f"no answer within {CHECK_TIMEOUT:g} s"
        except Exception as error:  # noqa: BLE001 - a check may fail in any way; it is reported
            logger.warning("check_failed", resource=resource.name, reason=str(error))
            return "unavailable"
        return "ok"

    results = await asyncio.gather(*(one(resource) for resource in resources))
    checks = {resource.name: result for resource, result in zip(resources, results, strict=True)}
    ready = all(checks[r.name] == "ok" for r in resources if r.required)
    return ready, checks
