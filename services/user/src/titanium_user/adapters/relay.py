"""Delivers the outbox: at once what this process wrote, and by polling what others left."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from prometheus_client import Counter

from titanium_kit.background import Background
from titanium_kit.client import MeshClient
from titanium_kit.logs import get_logger
from titanium_kit.metrics import Metrics
from titanium_kit.problems import Problem, Unavailable
from titanium_user.adapters.outbox import Outbox
from titanium_user.domain.models import Notice, NoticeKind

logger = get_logger(__name__)

POLL_EVERY = 0.25
CALL_TIMEOUT = 2.0
WAIT = 1.0
"""How long `deliver` waits for the peers, in seconds."""
AT_ONCE = 20


class Peers(Protocol):
    """The services that are told."""

    async def tell(self, notice: Notice) -> None:
        """Returns when the peer has taken the notice; raises `Problem` otherwise."""


class MeshPeers:
    """Tells auth and blog over the mesh."""

    def __init__(self, client: MeshClient) -> None:
        self._client = client

    async def tell(self, notice: Notice) -> None:
        if notice.kind is NoticeKind.END_SESSIONS:
            service, method, path = "auth", "POST", "/internal/sessions/revoke"
            body = {"user_id": notice.user_id, "epoch": notice.epoch}
        else:
            service, method, path = "blog", "DELETE", f"/internal/authors/{notice.user_id}"
            body = None
        response = await self._client.request(
            method, service, path, json=body, timeout=CALL_TIMEOUT
        )
        if not response.is_success:
            raise Unavailable(f"The {service} service answered {response.status_code}.")


class Relay:
    """Implements `domain.ports.Courier`; a resource of the application."""

    name = "outbox"
    required = False

    def __init__(self, outbox: Outbox, peers: Peers, metrics: Metrics) -> None:
        self._outbox = outbox
        self._peers = peers
        self._deliveries = Counter(
            "titanium_outbox_deliveries_total",
            "Attempts to tell another service, by kind and result (ok, failed).",
            ("kind", "result"),
            registry=metrics.registry,
        )
        self._under_way: set[asyncio.Task[None]] = set()
        self._poller = Background("outbox", self._poll)

    async def start(self) -> None:
        self._poller.start()

    async def stop(self) -> None:
        """Stop; what is under way stays in the outbox until somebody claims it again."""
        await self._poller.stop()
        tasks = tuple(self._under_way)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def check(self) -> None:
        """Raises when nothing is polling."""
        if not self._poller.alive:
            raise Unavailable("The outbox is not being delivered.")

    async def deliver(self, notices: Sequence[Notice]) -> None:
        tasks = [self._begin(notice) for notice in notices]
        if tasks:
            await asyncio.wait(tasks, timeout=WAIT)

    def _begin(self, notice: Notice) -> asyncio.Task[None]:
        task = asyncio.create_task(self._attempt(notice), name=f"notice-{notice.id}")
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    async def _attempt(self, notice: Notice) -> None:
        try:
            async with asyncio.timeout(CALL_TIMEOUT):
                await self._peers.tell(notice)
        except (Problem, TimeoutError) as error:
            self._deliveries.labels(notice.kind.value, "failed").inc()
            logger.warning(
                "notice_failed", kind=notice.kind.value, user_id=notice.user_id, reason=str(error)
            )
            settle = self._outbox.postpone
        else:
            self._deliveries.labels(notice.kind.value, "ok").inc()
            settle = self._outbox.done
        try:
            await settle(notice)
        except Problem as error:  # the lease runs out, and the notice is told once more
            logger.warning("outbox_unavailable", reason=error.detail)

    async def _poll(self) -> None:
        silent = False
        while True:
            try:
                for notice in await self._outbox.claim(AT_ONCE - len(self._under_way)):
                    self._begin(notice)
                silent = False
            except Exception as error:  # the poller must outlive any surprise
                if not silent:
                    away = isinstance(error, Problem)
                    logger.warning("outbox_unavailable", reason=str(error), exc_info=not away)
                silent = True
            await asyncio.sleep(POLL_EVERY)
