"""The supervisor as a service: one process per state folder, steered over its control socket."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

from titanium import state
from titanium.errors import RunningError, TitaniumError, UnhealthyError, UsageError
from titanium.layout import HOST, Home, Ports
from titanium.supervise import journal, liveness, probe, procfs, rolling
from titanium.supervise.control import Control
from titanium.supervise.logs import rotate
from titanium.supervise.platform import Platform
from titanium.supervise.protocol import Event, PlatformStatus, ProcessStatus, Request, Result
from titanium.supervise.supervisor import Supervisor
from titanium.supervise.unit import Unit

Report = Callable[[Event | Result], None]
CERTIFICATES_EVERY = 60.0
LOGS_EVERY = 60.0


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
        self._changing = asyncio.Lock()
        self._control = Control(home.control_socket, self._handle)
        self._platform: Platform | None = None
        self._supervisor: Supervisor | None = None

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
                self._report(Result(ok=True, body=(await self._status()).to_json()))
                chores = [asyncio.create_task(chore) for chore in self._chores()]
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
        self._supervisor = Supervisor(
            platform.plan(),
            home=self._home.root,
            record_file=self._home.record,
            endpoints=platform,
            listen=lambda step, what, remark: self._tell(Event(step, what, remark)),
            remains=platform.clear_remains,
        )
        await self._supervisor.start()
        # Only now: options of a start that failed are not remembered.
        state.save_options(self._home, self._options)

    def _load(self) -> Platform:
        return Platform.load(self._root, self._home, self._options).prepare()

    def _tell(self, event: Event) -> None:
        level = "warning" if event.state in ("warning", "failed", "backoff") else "info"
        journal.log(level, event.state, step=event.step, remark=event.remark)
        self._report(event)
        self._control.tell(event)

    # --- requests ------------------------------------------------------------------------

    async def _handle(self, request: Request) -> Result:
        if request.operation == "status":
            return Result(ok=True, body=(await self._status()).to_json())
        if request.operation == "stop":
            self._stop.set()
            await self._stopped.wait()
            return Result(ok=True)
        if self._phase != "running":
            raise UsageError(f"the platform is {self._phase}", "Try again when it is running.")
        async with self._changing:
            await self._change(request)
        return Result(ok=True, body=(await self._status()).to_json())

    async def _change(self, request: Request) -> None:
        platform, supervisor = self._running()
        name = request.service
        if name in platform.services:
            if request.operation == "scale":
                await rolling.scale(supervisor, platform, name, request.count)
                replicas = {**self._options.replicas, name: request.count}
                self._options = replace(self._options, replicas=replicas)
                state.save_options(self._home, self._options)
            else:
                await rolling.restart_service(supervisor, platform, name)
        elif request.operation == "restart" and name in ("gateway", "postgres", "redis"):
            await rolling.restart_one(supervisor, name)
        else:
            raise UsageError(
                f"there is no service {name!r}",
                f"Services are: {', '.join((*platform.services, 'gateway', 'postgres', 'redis'))}.",
            )

    def _running(self) -> tuple[Platform, Supervisor]:
        if self._platform is None or self._supervisor is None:
            raise UsageError("the platform is starting", "Try again when it is running.")
        return self._platform, self._supervisor

    async def _status(self) -> PlatformStatus:
        # Before the processes: one that is starting now may be ready when all have answered.
        phase = self._phase
        units = list(self._supervisor.units.values()) if self._supervisor else []
        parents = procfs.parent_table()
        found = await asyncio.gather(*(_describe(unit, parents) for unit in units))
        processes = (*found, self._describe_self())
        if phase == "running":
            healthy = all(process.state == "ready" for process in processes)
            phase = "healthy" if healthy else "unhealthy"
        ports = Ports(self._options.port_base)
        return PlatformStatus(
            state=phase,
            home=str(self._home.root),
            url=f"http://{HOST}:{ports.http}",
            https_url=f"https://localhost:{ports.https}",
            supervisor=os.getpid(),
            processes=processes,
        )

    def _describe_self(self) -> ProcessStatus:
        pid = os.getpid()
        ticks = procfs.start_ticks(pid) or 0
        return ProcessStatus(
            name="supervisor",
            kind="supervisor",
            state="ready",
            pid=pid,
            uptime=round(procfs.uptime_seconds(ticks), 1),
            memory=procfs.resident_bytes(pid),
            restarts=0,
            address=str(self._home.control_socket),
        )

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
        while True:
            for name in await asyncio.to_thread(rotate, self._home.logs):
                self._tell(Event("logs", "done", f"{name} had grown large: kept as {name}.1"))
            await asyncio.sleep(LOGS_EVERY)


def _stopped_early() -> UnhealthyError:
    return UnhealthyError(
        "stopped before everything was ready", "Somebody ran titanium down; titanium up starts it."
    )


async def _describe(unit: Unit, parents: dict[int, int]) -> ProcessStatus:
    process = unit.process if unit.process is not None and unit.process.running else None
    what, detail = str(unit.state), ""
    if what == "ready":
        answer = await probe.ask(unit.spec.probe, 1.0)
        if not answer.ready:
            what, detail = "not ready", answer.text[:500]
    return ProcessStatus(
        name=unit.spec.name,
        kind=unit.spec.kind,
        state=what,
        pid=process.pid if process else None,
        uptime=round(unit.uptime, 1) if process else 0.0,
        memory=sum(procfs.resident_bytes(pid) for pid in procfs.family(process.pid, parents))
        if process
        else 0,
        restarts=unit.restarts,
        address=unit.spec.address,
        service=unit.spec.service,
        detail=detail,
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
