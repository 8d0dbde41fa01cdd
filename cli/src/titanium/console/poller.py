"""One reader of the supervisor and of Prometheus for every open page.

Pages never ask themselves: they show the newest `Snapshot`. While somebody looks, the
supervisor is asked every second and Prometheus every two to five; otherwise seldom.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from titanium.console.cpu import CpuMeter
from titanium.console.prometheus import Alert, Prometheus, PrometheusUnavailable, Sample
from titanium.console.signals import Ranges, read_instant, read_ranges
from titanium.errors import TitaniumError
from titanium.supervise.protocol import PlatformStatus

journal = logging.getLogger(__name__)
WATCHED = 1.0
UNWATCHED = 10.0
METRICS_WATCHED = 2.0
METRICS_UNWATCHED = 30.0
RANGES_EVERY = 5.0


@dataclass(frozen=True)
class Snapshot:
    """The newest knowledge; replaced as a whole, never changed.

    `status` is None and `status_error` set while the supervisor does not answer; `metrics` maps
    names of `signals.INSTANT` to samples and is empty, with `metrics_error` set, while
    Prometheus does not answer. `cpu` is shares of one core by process name. `at` is the epoch
    second of the newest change; `version` grows with every change.
    """

    status: PlatformStatus | None = None
    status_error: TitaniumError | None = None
    last_status_at: float = 0.0
    metrics: dict[str, list[Sample]] = field(default_factory=dict)
    ranges: Ranges = field(default_factory=Ranges)
    alerts: tuple[Alert, ...] = ()
    metrics_error: TitaniumError | None = None
    cpu: dict[str, float] = field(default_factory=dict)
    at: float = 0.0
    version: int = 0
    metrics_version: int = 0
    ranges_version: int = 0


class Poller:
    """Keeps `snapshot` fresh while its `run` runs; `watched` tells whether a page is open."""

    def __init__(
        self,
        status: Callable[[], Awaitable[PlatformStatus]],
        prometheus: Prometheus,
        watched: Callable[[], bool] = lambda: False,
    ) -> None:
        self._ask_status = status
        self._prometheus = prometheus
        self._watched = watched
        self._wake_status = asyncio.Event()
        self._wake_metrics = asyncio.Event()
        self._ranges_at = 0.0
        self._cpu = CpuMeter()
        self.snapshot = Snapshot()

    def hurry(self) -> None:
        """Read again at once: a page was opened, or something was just changed."""
        self._wake_status.set()
        self._wake_metrics.set()

    async def run(self) -> None:
        """Read until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._repeat(self.read_status, self._wake_status, WATCHED, UNWATCHED))
            group.create_task(
                self._repeat(
                    self.read_metrics, self._wake_metrics, METRICS_WATCHED, METRICS_UNWATCHED
                )
            )

    async def _repeat(
        self,
        read: Callable[[], Awaitable[None]],
        wake: asyncio.Event,
        watched: float,
        unwatched: float,
    ) -> None:
        while True:
            wake.clear()
            try:
                await read()
            except Exception:  # noqa: BLE001 - one failed look ends nothing
                journal.exception("reading failed")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), watched if self._watched() else unwatched)

    async def read_status(self) -> None:
        try:
            status = await self._ask_status()
        except TitaniumError as error:
            self._publish(status=None, status_error=error, cpu={})
            return
        now = time.time()
        cpu = self._cpu.shares(status.processes, now)
        self._publish(status=status, status_error=None, last_status_at=now, cpu=cpu)

    async def read_metrics(self) -> None:
        try:
            # One after the other: a slow Prometheus is not made slower.
            metrics = await read_instant(self._prometheus)
            alerts = tuple(await self._prometheus.alerts())
            ranges = self.snapshot.ranges
            ranges_version = self.snapshot.ranges_version
            if self._watched() and time.monotonic() - self._ranges_at >= RANGES_EVERY:
                ranges = await read_ranges(self._prometheus)
                self._ranges_at = time.monotonic()
                ranges_version += 1
        except PrometheusUnavailable as error:
            self._publish(
                metrics={},
                alerts=(),
                ranges=Ranges(),
                ranges_version=self.snapshot.ranges_version + 1,
                metrics_error=error,
                metrics_version=self.snapshot.metrics_version + 1,
            )
            self._ranges_at = 0.0
            return
        self._publish(
            metrics=metrics,
            alerts=alerts,
            ranges=ranges,
            ranges_version=ranges_version,
            metrics_error=None,
            metrics_version=self.snapshot.metrics_version + 1,
        )

    def _publish(self, **changes: object) -> None:
        self.snapshot = replace(
            self.snapshot,
            **changes,  # type: ignore[arg-type]
            at=time.time(),
            version=self.snapshot.version + 1,
        )
