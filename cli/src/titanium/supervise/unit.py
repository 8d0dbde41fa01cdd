"""The life of one supervised process: start, readiness, crash, restart, stop."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from titanium.errors import StateError, TitaniumError, UnhealthyError
from titanium.supervise import probe, procfs
from titanium.supervise.backoff import FIRST, Backoff
from titanium.supervise.process import Process, describe_exit, failure, size_of
from titanium.supervise.record import Entry
from titanium.supervise.spec import ProcessSpec

State = Literal["waiting", "starting", "ready", "backoff", "stopping", "stopped", "failed"]
POLL = 0.03
CONFIRM = 15.0


@dataclass(frozen=True, slots=True)
class Hooks:
    """What a unit asks of its supervisor.

    `prepare` runs before every start (waits for what the process needs, clears remains of
    the last run); `changed` hears of every change of state, with a remark for the log.
    """

    prepare: Callable[[Unit], Awaitable[None]]
    changed: Callable[[Unit, str], None]


class Unit:
    """Keeps one process running from `start` or `adopt` until `stop`."""

    def __init__(self, spec: ProcessSpec, level: int, hooks: Hooks, marks: dict[str, str]) -> None:
        self.spec = spec
        self.level = level
        self.configuration = spec.configuration_hash()
        self.state: State = "waiting"
        self.restarts = 0
        # Why it is not ready, in words, for as long as it is not.
        self.problem = ""
        self.adopted = False
        self.process: Process | None = None
        self.ready = asyncio.Event()
        self.tried = asyncio.Event()
        self._hooks = hooks
        self._marks = marks
        self._backoff = Backoff()
        self._keeper: asyncio.Task[None] | None = None

    def entry(self) -> Entry | None:
        """What the record says of it; None while nothing runs."""
        if self.process is None or not self.process.running:
            return None
        return Entry(
            name=self.spec.name,
            pid=self.process.pid,
            ticks=self.process.ticks,
            configuration=self.configuration,
            level=self.level,
            stop_signal=int(self.spec.stop_signal),
            stop_within=self.spec.stop_within,
            ports=self.spec.ports,
        )

    @property
    def uptime(self) -> float:
        return procfs.uptime_seconds(self.process.ticks) if self.process else 0.0

    async def adopt(self, entry: Entry) -> bool:
        """Take over a running process; False when it is gone or does not answer.

        It has to be alive, not ready: what it needs may be about to start again.
        """
        process = Process.adopt(entry.pid, entry.ticks)
        if process is None:
            return False
        deadline = time.monotonic() + 5.0
        while process.running and time.monotonic() < deadline:
            if (await probe.ask(self.spec.liveness or self.spec.probe, 1.0)).ready:
                self.process, self.adopted = process, True
                self._set("ready", f"taken over (pid {process.pid})")
                self._keep()
                return True
            await asyncio.sleep(POLL)
        await process.stop(self.spec.stop_signal, self.spec.stop_within)
        return False

    async def confirm(self) -> None:
        """Wait until an adopted process is ready, too; what it says when it is not, is told."""
        answer = probe.Answer(False)
        deadline = time.monotonic() + CONFIRM
        while self.state == "ready" and time.monotonic() < deadline:
            answer = await probe.ask(self.spec.probe)
            if answer.ready:
                return
            await asyncio.sleep(POLL)
        self._hooks.changed(self, f"runs, but is not ready: {answer.text[:200]}")

    async def start(self) -> None:
        """First start: UnhealthyError when the process ends or is not ready in time."""
        try:
            await self._begin()
        except UnhealthyError:
            self._set("failed", "")
            raise
        self._keep()

    def start_in_background(self) -> None:
        """For one that the platform can do without: a failure is told and tried again.

        `tried` is set once it is known how the first attempt went.
        """

        async def keep() -> None:
            await self._relaunch(0.0)
            await self._restart_forever()

        self._keeper = asyncio.create_task(keep(), name=f"keep {self.spec.name}")

    def keep_trying(self, error: TitaniumError) -> None:
        """After a failed `start`: go on starting it, ever more slowly, until it is ready."""

        async def keep() -> None:
            delay = self._backoff.next(0.0) or FIRST
            self._postpone(error, delay)
            await self._relaunch(delay)
            await self._restart_forever()

        self._keeper = asyncio.create_task(keep(), name=f"keep {self.spec.name}")

    async def stop(self) -> None:
        """Ask the process to end, kill it after its bound; it is not started again."""
        self.problem = ""
        if self.state in ("waiting", "failed") and self._keeper is None:
            self.state = "stopped"
            return
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
            self._keeper = None
        self.ready.clear()
        if self.process is not None and self.process.running:
            self._set("stopping", "")
            if not await self.process.stop(self.spec.stop_signal, self.spec.stop_within):
                self._hooks.changed(self, f"did not stop in {self.spec.stop_within:g} s: killed")
        self.process = None
        self._set("stopped", "")

    async def release(self) -> None:
        """Stop watching and leave the process running."""
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
            self._keeper = None
        if self.process is not None:
            self.process.forget()
            self.process = None
        self.state = "waiting"

    def _set(self, state: State, remark: str) -> None:
        self.state = state
        if state == "ready":
            self.problem = ""
            self.ready.set()
        else:
            self.ready.clear()
        if state in ("ready", "backoff", "stopped"):
            self.tried.set()
        self._hooks.changed(self, remark)

    def _keep(self) -> None:
        self._keeper = asyncio.create_task(self._restart_forever(), name=f"keep {self.spec.name}")

    async def _begin(self) -> None:
        """Start until ready; everything that keeps it from that is a TitaniumError."""
        try:
            await self._hooks.prepare(self)
            await self._launch()
        except OSError as error:
            # Whoever keeps it running goes on trying; anything else would end that in silence.
            where = f" {error.filename}" if error.filename else ""
            raise StateError(
                f"{self.spec.name} cannot be started:{where} {error.strerror or error}",
                "Free space, or correct the folder's permissions.",
            ) from None

    async def _launch(self) -> None:
        spec = self.spec
        for socket in spec.sockets:
            socket.unlink(missing_ok=True)
        since = size_of(spec.log)
        # Inputs may have been rendered anew since the plan was made.
        self.configuration = spec.configuration_hash()
        self.adopted = False
        began = time.monotonic()
        self.process = Process.start(
            spec.argv, folder=spec.folder, log=spec.log, env={**spec.env, **self._marks}
        )
        self._set("starting", "")
        try:
            await self._until_ready(self.process, since)
        except UnhealthyError:
            await self.process.kill()
            raise
        self._set("ready", f"ready in {time.monotonic() - began:.1f} s")

    async def _until_ready(self, process: Process, since: int) -> None:
        spec = self.spec
        deadline = time.monotonic() + spec.ready_within
        answer = probe.Answer(False)
        while process.running:
            answer = await probe.ask(spec.probe)
            if answer.ready:
                return
            if time.monotonic() > deadline:
                break
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), POLL)
        if process.running:
            what = f"was not ready within {spec.ready_within:g} s"
            if answer.text:
                what += f" (last answer: {answer.text[:200]})"
        else:
            what = f"{describe_exit(await process.wait())} before it was ready"
        raise failure(f"{spec.name} {what}", spec.log, since, spec.hint)

    async def _restart_forever(self) -> None:
        while self.process is not None:
            uptime_before = self.uptime
            code = await self.process.wait()
            ran_for = max(uptime_before, self.uptime)
            self.restarts += 1
            delay = self._backoff.next(ran_for)
            end = describe_exit(code)
            self.problem = f"{self.spec.name} {end}"
            self._set("backoff", f"{end}; starting it again{_in(delay)}")
            await self._relaunch(delay)

    async def _relaunch(self, delay: float) -> None:
        """Start until it is ready once more."""
        while True:
            await asyncio.sleep(delay)
            began = time.monotonic()
            try:
                await self._begin()
            except TitaniumError as error:
                delay = self._backoff.next(time.monotonic() - began)
                self._postpone(error, delay)
            else:
                return

    def _postpone(self, error: TitaniumError, delay: float) -> None:
        """Say why it did not start; the same reason once more is not told again."""
        problem = f"{error.message}. {error.hint}" if error.hint else error.message
        if problem == self.problem:
            self.state = "backoff"
            return
        self.problem = problem
        self._set("backoff", f"{error.message}; trying again{_in(delay)}")


def _in(delay: float) -> str:
    return f" in {delay:g} s" if delay else ""
