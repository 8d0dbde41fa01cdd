"""What a running platform can be asked to do: one method for each operation."""

from __future__ import annotations

import asyncio
import signal
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from titanium import state
from titanium.errors import UsageError
from titanium.supervise import rolling
from titanium.supervise.faults import Faults
from titanium.supervise.platform import Platform
from titanium.supervise.protocol import FaultRequest, Request
from titanium.supervise.supervisor import Supervisor
from titanium.supervise.unit import Unit


class Operations:
    """Changes a running platform; changes of one service or process wait for each other."""

    def __init__(
        self, platform: Platform, supervisor: Supervisor, faults: Faults, options: state.Options
    ) -> None:
        self._platform = platform
        self._supervisor = supervisor
        self._faults = faults
        self._options = options
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def perform(self, request: Request) -> None:
        """TitaniumError when it cannot be done; UsageError when there is no such thing."""
        name = request.service
        if request.operation == "fault":
            await self._fault(name, request.fault or FaultRequest())
        elif request.operation == "kill":
            await self._kill(name)
        else:
            async with self._locks[self._owner(name)]:
                await self._change(request)

    async def _change(self, request: Request) -> None:
        name = request.service
        if request.operation == "scale":
            await self._scale(name, request.count)
        elif request.operation == "restart":
            await self._restart(name)
        elif request.operation == "stop_service":
            await self._supervisor.stop_units(self._names(name))
        elif request.operation == "start_service":
            await self._supervisor.start_units(self._names(name))
        else:
            raise UsageError(f"a running platform cannot {request.operation}")

    async def _scale(self, service: str, count: int) -> None:
        self._check_service(service)
        await rolling.scale(self._supervisor, self._platform, service, count)
        replicas = {**self._options.replicas, service: count}
        self._options = replace(self._options, replicas=replicas)
        state.save_options(self._platform.home, self._options)

    async def _restart(self, name: str) -> None:
        if name in self._platform.services:
            await rolling.restart_service(self._supervisor, self._platform, name)
        elif name in self._alone():
            await rolling.restart_one(self._supervisor, name)
        else:
            raise self._unknown(name, [*self._platform.services, *self._alone()])

    async def _fault(self, service: str, fault: FaultRequest) -> None:
        self._check_service(service)
        if self._platform.observability is None:
            raise UsageError(
                "the proxies cannot inject faults: they were started without observability",
                "titanium down, then: titanium up -d --observability",
            )
        await self._faults.set(service, fault)

    async def _kill(self, name: str) -> None:
        """End it as a crash would; its unit starts it again."""
        unit = self._unit(name)
        process = unit.process
        if process is None or not process.running:
            raise UsageError(f"{name} does not run: it is {unit.state}", "See titanium status.")
        process.send(signal.SIGKILL)
        await process.wait()

    def _owner(self, name: str) -> str:
        """The service of a process, else the name itself."""
        unit = self._supervisor.units.get(name)
        return (unit.spec.service or name) if unit else name

    def _names(self, name: str) -> list[str]:
        """Processes that a person means: of a service its apps, so that its proxies still answer
        their callers; else the process of that name."""
        if name in self._platform.services:
            units = self._supervisor.of_service(name)
            return [unit.spec.name for unit in units if unit.spec.kind == "app"]
        return [self._unit(name).spec.name]

    def _unit(self, name: str) -> Unit:
        if name not in self._supervisor.units:
            raise self._unknown(name, [*self._platform.services, *self._supervisor.units])
        return self._supervisor.units[name]

    def _alone(self) -> list[str]:
        """Processes that belong to no service."""
        units = self._supervisor.units.values()
        names = [unit.spec.name for unit in units if not unit.spec.service]
        return sorted(names, key=lambda name: (self._supervisor.units[name].spec.optional, name))

    def _check_service(self, name: str) -> None:
        if name not in self._platform.services:
            raise self._unknown(name, list(self._platform.services))

    def _unknown(self, name: str, names: list[str]) -> UsageError:
        known = ", ".join(names)
        if name == "supervisor":
            return UsageError("the supervisor is stopped with the platform", "titanium down")
        return UsageError(f"there is no service {name!r}", f"Services are: {known}.")


def sidecars(supervisor: Supervisor, service: str) -> Iterator[Path]:
    """Admin sockets of those sidecars of a service that run."""
    for unit in supervisor.of_service(service):
        if unit.spec.kind == "sidecar" and unit.process is not None and unit.process.running:
            yield unit.spec.folder / "admin.sock"
