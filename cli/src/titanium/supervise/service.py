"""The supervisor as a service: one process per state folder, steered over its control socket."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from titanium import state
from titanium.errors import RunningError, TitaniumError, UnhealthyError, UsageError
from titanium.layout import Home, Ports
from titanium.supervise import journal, liveness
from titanium.supervise.control import Control
from titanium.supervise.faults import Faults
from titanium.supervise.logs import BOUNDS, reopeners, rotate
from titanium.supervise.operations import Operations, sidecars
from titanium.supervise.platform import Platform
from titanium.supervise.protocol import Event, Request, Result
from titanium.supervise.report import Reporter
from titanium.supervise.supervisor import Supervisor

Report = Callable[[Event | Result], None]
CERTIFICATES_EVERY = 60.0
LOGS_EVERY = 60.0
# Seconds that a start waits for what the platform serves without.
SETTLE = 8.0


class Service:
    """Start, steer and stop one platform; `run` returns when it was asked to stop."""

    def __init__(self, home: Home, options: state.Options, root: Path, report: Report) -> None:
        self._home = home
        self._options = options
        self._root = root
        self._report = report
        self._phase = "starting"
        self._stop = asyncio.Event()
        self._stopped = asyncio.Event()
        self._reporter = Reporter(home, Ports(options.port_base))
        self._control = Control(home.control_socket, self._handle)
        self._platform: Platform | None = None
        self._supervisor: Supervisor | None = None
        self._faults: Faults | None = None
        self._operations: Operations | None = None

    async def run(self) -> None:
        """Raises TitaniumError when the platform could not be started."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: None)
        await self._control.open()
        chores: list[asyncio.Task[None]] = []
        try:
            if await self._start():
                self._phase = "running"
                chores = [asyncio.create_task(chore) for chore in self._chores()]
                await self._settle()
                self._report(await self._answer())
                await self._stop.wait()
            else:
                self._report(Result.failure(_stopped_early()))
            self._phase = "stopping"
            for chore in chores:
                chore.cancel()
            if self._supervisor is not None:
                await self._supervisor.stop()
            self._phase = "stopped"
            self._stopped.set()
            # Callers of `stop` get their answer before the socket goes.
            await asyncio.sleep(0.05)
        finally:
            await self._control.close()

    async def _start(self) -> bool:
        """True when everything is ready, False when a stop came first."""
        starting = asyncio.create_task(self._bring_up())
        stopping = asyncio.create_task(self._stop.wait())
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            stopping.cancel()
            await starting
            return True
        starting.cancel()
        with contextlib.suppress(asyncio.CancelledError, TitaniumError):
            await starting
        return False

    async def _bring_up(self) -> None:
        self._tell(Event("configuration", "starting"))
        platform = await asyncio.to_thread(self._load)
        self._platform = platform
        self._tell(Event("configuration", "done"))
        for note in platform.observability.notes if platform.observability else ():
            journal.log("warning", "note", remark=note)
        self._supervisor = supervisor = Supervisor(
            platform.plan(),
            home=self._home.root,
            record_file=self._home.record,
            endpoints=platform,
            listen=self._listen,
            remains=platform.clear_remains,
        )
        self._faults = Faults(lambda service: sidecars(supervisor, service), self._tell)
        self._operations = Operations(platform, supervisor, self._faults, self._options)
        # Before anything waits for the gateway, which is not ready while a service fails.
        await self._faults.clear_unknown(
            unit.spec.folder / "admin.sock"
            for unit in supervisor.units.values()
            if unit.spec.kind == "sidecar"
        )
        await supervisor.start()
        # Only now: options of a start that failed are not remembered.
        state.save_options(self._home, self._options)

    async def _settle(self) -> None:
        """Give what is optional some time, so that the start can tell how it went."""
        _, supervisor = self._running()
        settling = asyncio.create_task(supervisor.settle(SETTLE))
        stopping = asyncio.create_task(self._stop.wait())
        await asyncio.wait({settling, stopping}, return_when=asyncio.FIRST_COMPLETED)
        settling.cancel()
        stopping.cancel()

    def _listen(self, step: str, what: str, remark: str) -> None:
        self._tell(Event(step, what, remark))
        unit = self._supervisor.units.get(step) if self._supervisor else None
        if self._faults and unit and unit.spec.kind == "sidecar" and what == "ready":
            self._faults.apply_again(unit.spec.service, unit.spec.folder / "admin.sock")

    def _load(self) -> Platform:
        return Platform.load(self._root, self._home, self._options).prepare()

    def _tell(self, event: Event) -> None:
        level = "warning" if event.state in ("warning", "failed", "backoff") else "info"
        journal.log(level, event.state, step=event.step, remark=event.remark)
        self._reporter.forget()
        self._report(event)
        self._control.tell(event)

    # --- requests ------------------------------------------------------------------------

    async def _handle(self, request: Request) -> Result:
        if request.operation == "status":
            return await self._answer(cached=request.cached)
        if request.operation == "stop":
            self._stop.set()
            await self._stopped.wait()
            return Result(ok=True)
        if self._phase != "running" or self._operations is None:
            raise UsageError(f"the platform is {self._phase}", "Try again when it is running.")
        try:
            await self._operations.perform(request)
        finally:
            self._reporter.forget()
        return await self._answer()

    async def _answer(self, *, cached: bool = False) -> Result:
        # The phase comes first: a process that starts now may be ready when all have answered.
        status = await self._reporter.status(
            self._phase,
            self._platform,
            self._supervisor,
            self._faults.active if self._faults else (),
            cached=cached,
        )
        return Result(ok=True, body=status.to_json())

    def _running(self) -> tuple[Platform, Supervisor]:
        if self._platform is None or self._supervisor is None:
            raise UsageError("the platform is starting", "Try again when it is running.")
        return self._platform, self._supervisor

    # --- what goes on all the time -------------------------------------------------------

    def _chores(self) -> list[Coroutine[Any, Any, None]]:
        _, supervisor = self._running()
        watch = liveness.watch(supervisor.units, self._tell)
        return [watch, self._renew_certificates(), self._cut_logs()]

    async def _renew_certificates(self) -> None:
        platform, _ = self._running()
        while True:
            try:
                names = await asyncio.to_thread(platform.renew_certificates)
                for name in names:
                    self._tell(Event("certificates", "done", f"renewed {name}"))
            except (OSError, TitaniumError) as error:
                self._tell(Event("certificates", "warning", str(error)))
            await asyncio.sleep(CERTIFICATES_EVERY)

    async def _cut_logs(self) -> None:
        reopen = reopeners(self._home)
        while True:
            for name in await asyncio.to_thread(rotate, self._home.logs, BOUNDS, reopen):
                remark = f"{name} had grown large or old: kept as {name}.1"
                self._tell(Event("logs", "done", remark))
            await asyncio.sleep(LOGS_EVERY)


def _stopped_early() -> UnhealthyError:
    return UnhealthyError(
        "stopped before everything was ready", "Somebody ran titanium down; titanium up starts it."
    )


async def supervise(home: Home, options: state.Options, root: Path, report: Report) -> None:
    """Hold the folder's lock and run the platform in it until it is asked to stop.

    RunningError when another supervisor holds the lock; otherwise what `Service.run` raises.
    """
    if state.lock(home) is None:
        raise RunningError(
            f"a titanium is already running in {home.root}", "See it with: titanium status"
        )
    # The lock goes with this process: whoever gets it next finds nothing of ours.
    await Service(home, options, root, report).run()
