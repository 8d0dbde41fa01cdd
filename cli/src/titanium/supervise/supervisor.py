"""Brings a plan to life and keeps it alive."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from titanium.errors import TitaniumError
from titanium.supervise import procfs, record
from titanium.supervise.cleanup import find_strays, stop_entry, stop_stray
from titanium.supervise.ports import check_port
from titanium.supervise.process import Process, describe_exit, failure, size_of
from titanium.supervise.spec import Plan, ProcessSpec, TaskSpec, levels
from titanium.supervise.unit import Hooks, State, Unit

# (step, state, remark): what a person watching the start wants to hear.
Listener = Callable[[str, str, str], None]


class Endpoints(Protocol):
    """Tells every proxy which replicas of a service may be called; OSError or TitaniumError when
    that cannot be written."""

    def publish(self, service: str, replicas: Iterable[int]) -> None: ...


class Remains(Protocol):
    """Clears what a dead process left behind that would keep its successor from starting."""

    async def __call__(self, spec: ProcessSpec) -> None: ...


async def no_remains(spec: ProcessSpec) -> None:
    """Most processes leave nothing that hurts."""


class Supervisor:
    """Owns the units of one state folder.

    `start` raises TitaniumError and leaves nothing of its own behind; `stop` ends everything;
    `release` lets everything run on without a supervisor.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        home: Path,
        record_file: Path,
        endpoints: Endpoints,
        listen: Listener,
        remains: Remains = no_remains,
    ) -> None:
        self.plan = plan
        self.home = home
        self.units: dict[str, Unit] = {}
        self.draining: set[tuple[str, int]] = set()
        self._record_file = record_file
        self._endpoints = endpoints
        self._listen = listen
        self._clear_remains = remains
        self._previous: dict[str, record.Entry] = {}
        self._done: dict[str, asyncio.Event] = {}
        self._starting = False
        self._levels = levels(plan.steps)
        for spec in plan.processes:
            self._add_unit(spec)

    # --- start ---------------------------------------------------------------------------

    async def start(self) -> None:
        """Adopt what runs unchanged, start the rest in the order of the plan.

        Optional processes are only begun: see `settle`.
        """
        self._previous = record.load(self._record_file)
        await self._stop_leftovers()
        names = list(self.units)
        fits = await asyncio.gather(*(self._adopt(name) for name in names))
        adopted = {name for name, fit in zip(names, fits, strict=True) if fit}
        self._check_ports()
        for service in {unit.spec.service for unit in self.units.values() if unit.spec.service}:
            self._publish(service, everything=True)
        self._starting = True
        self._done = {step.name: asyncio.Event() for step in self.plan.steps}
        needed = self._needed_tasks(adopted)
        try:
            async with asyncio.TaskGroup() as group:
                for spec in self.plan.processes:
                    if not spec.optional:
                        group.create_task(self._start_process(spec))
                for task in self.plan.tasks:
                    group.create_task(self._start_task(task, run=task.name in needed))
        except BaseExceptionGroup as failures:
            await self._abandon()
            raise _first(failures) from None
        finally:
            self._starting = False
        for service in {unit.spec.service for unit in self.units.values() if unit.spec.service}:
            self._publish(service)
        # They come last: they would take the processor from those that people wait for.
        for unit in self._optional():
            if not unit.adopted:
                unit.start_in_background()

    async def settle(self, seconds: float) -> None:
        """Wait until it is known of each optional process whether it starts, or `seconds`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                for unit in self._optional():
                    await unit.tried.wait()

    def _optional(self) -> list[Unit]:
        return [unit for unit in self.units.values() if unit.spec.optional]

    async def _adopt(self, name: str) -> bool:
        unit, entry = self.units[name], self._previous.get(name)
        if entry is None or entry.configuration != unit.configuration:
            return False
        return await unit.adopt(entry)

    async def _start_process(self, spec: ProcessSpec) -> None:
        for need in spec.needs:
            await self._done[need].wait()
        unit = self.units[spec.name]
        if unit.adopted:
            await unit.confirm()
        else:
            if entry := self._previous.get(spec.name):
                await stop_entry(entry)
            await unit.start()
        self._done[spec.name].set()

    async def _start_task(self, task: TaskSpec, *, run: bool) -> None:
        for need in task.needs:
            await self._done[need].wait()
        if run:
            await self.run_task(task)
        self._done[task.name].set()

    def _needed_tasks(self, adopted: set[str]) -> set[str]:
        """Tasks on the way to a process that is about to start, directly or through tasks."""
        tasks = {task.name: task for task in self.plan.tasks}
        needed: set[str] = set()

        def mark(needs: Iterable[str]) -> None:
            for name in needs:
                if name in tasks and name not in needed:
                    needed.add(name)
                    mark(tasks[name].needs)

        for spec in self.plan.processes:
            if spec.name not in adopted:
                mark(spec.needs)
        return needed

    async def run_task(self, task: TaskSpec) -> None:
        """Run it to its end; UnhealthyError with its last lines when it fails."""
        self._listen(task.name, "starting", "")
        since = size_of(task.log)
        env = {**task.env, **self._marks(task.name)}
        process = Process.start(task.argv, folder=task.folder, log=task.log, env=env)
        try:
            async with asyncio.timeout(task.timeout):
                code = await process.wait()
        except TimeoutError:
            code = None
        finally:
            await process.kill()
        if code != 0:
            did = f"took longer than {task.timeout:g} s" if code is None else describe_exit(code)
            self._listen(task.name, "failed", did)
            raise failure(f"{task.name} {did}", task.log, since, task.hint)
        self._listen(task.name, "done", "")

    async def _stop_leftovers(self) -> None:
        """End processes of this folder that the plan does not know or the record lost."""
        gone = [entry for name, entry in self._previous.items() if name not in self.units]
        for entry in sorted(gone, key=lambda e: -e.level):
            self._listen(entry.name, "stopping", "no longer wanted")
            await stop_entry(entry)
        strays = await asyncio.to_thread(find_strays, self.home, self._previous)
        await asyncio.gather(*(stop_stray(pid, name) for pid, name in strays.items()))

    def _check_ports(self) -> None:
        """PortBusyError when a port of a process about to start belongs to somebody else."""
        ours = {entry.pid for entry in self._previous.values()}
        wanted = [
            (port, unit.spec.name)
            for unit in self.units.values()
            if not unit.adopted and not unit.spec.optional
            for port in unit.spec.ports
        ]
        for port, name in sorted(wanted):
            check_port(port, name, ours)

    # --- stop ----------------------------------------------------------------------------

    async def stop(self) -> None:
        """End everything, the deepest level of the plan first."""
        await self._stop_units(list(self.units.values()))

    async def release(self) -> None:
        """Forget everything; the processes run on."""
        for unit in self.units.values():
            await unit.release()

    async def _abandon(self) -> None:
        """After a failed start: end what this start began, leave what it had taken over."""
        await self._stop_units([unit for unit in self.units.values() if not unit.adopted])
        await self.release()

    async def _stop_units(self, units: list[Unit]) -> None:
        for level in sorted({unit.level for unit in units}, reverse=True):
            await asyncio.gather(*(unit.stop() for unit in units if unit.level == level))

    # --- change while running ------------------------------------------------------------

    async def add(self, specs: Iterable[ProcessSpec]) -> None:
        """Start more processes, in the given order; on failure none of them stays."""
        added = [self._add_unit(spec) for spec in specs]
        try:
            for unit in added:
                for port in unit.spec.ports:
                    check_port(port, unit.spec.name)
                await unit.start()
        except BaseException:
            await self.remove(unit.spec.name for unit in added)
            raise

    async def remove(self, names: Iterable[str]) -> None:
        for name in list(names):
            unit = self.units.pop(name)
            await unit.stop()
        self._save()

    async def replace(self, spec: ProcessSpec) -> None:
        """Stop the process of that name and start `spec` in its place.

        UnhealthyError when that fails; it is then tried again and again.
        """
        before = self.units[spec.name]
        await before.stop()
        unit = self._add_unit(spec)
        unit.restarts = before.restarts
        try:
            await unit.start()
        except TitaniumError as error:
            unit.keep_trying(error)
            raise

    async def stop_units(self, names: Iterable[str]) -> None:
        """End processes of the plan; they stay stopped until `start_units`."""
        units = [self.units[name] for name in names]
        await asyncio.gather(*(unit.stop() for unit in units))
        for service in {unit.spec.service for unit in units if unit.spec.service}:
            self._publish(service)

    async def start_units(self, names: Iterable[str]) -> None:
        """Start those that are not ready. UnhealthyError when one fails; it is tried again."""
        specs = [self.units[name].spec for name in names if self.units[name].state != "ready"]
        results = await asyncio.gather(
            *(self.replace(spec) for spec in specs), return_exceptions=True
        )
        for result in results:
            if isinstance(result, BaseException):
                raise result

    def of_service(self, service: str) -> list[Unit]:
        return [unit for unit in self.units.values() if unit.spec.service == service]

    def drain(self, service: str, replica: int) -> None:
        """Stop sending calls to a replica."""
        self.draining.add((service, replica))
        self._publish(service)

    def undrain(self, service: str, replica: int) -> None:
        self.draining.discard((service, replica))
        self._publish(service)

    # --- bookkeeping ---------------------------------------------------------------------

    def _add_unit(self, spec: ProcessSpec) -> Unit:
        if spec.name not in self._levels:
            self._levels[spec.name] = 1 + max((self._levels[n] for n in spec.needs), default=-1)
        level = self._levels[spec.name]
        hooks = Hooks(prepare=self._prepare, changed=self._changed)
        unit = self.units[spec.name] = Unit(spec, level, hooks, self._marks(spec.name))
        return unit

    def _marks(self, name: str) -> dict[str, str]:
        return {procfs.HOME_MARK: str(self.home), procfs.PROCESS_MARK: name}

    async def _prepare(self, unit: Unit) -> None:
        if not self._starting:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(10):
                    for need in unit.spec.needs:
                        if need in self.units:
                            await self.units[need].ready.wait()
        if unit.spec.optional:
            # Adopted and ended since, or of another configuration.
            if entry := self._previous.pop(unit.spec.name, None):
                await stop_entry(entry)
            for port in unit.spec.ports:
                check_port(port, unit.spec.name)
        await self._clear_remains(unit.spec)

    def _changed(self, unit: Unit, remark: str) -> None:
        state: State = unit.state
        self._listen(unit.spec.name, state, remark)
        if state in ("starting", "ready", "stopped"):
            self._save()
        if unit.spec.service and not self._starting and state in ("ready", "backoff"):
            self._publish(unit.spec.service)

    def _save(self) -> None:
        entries = {name: entry for name, unit in self.units.items() if (entry := unit.entry())}
        if self._starting:
            # Not reached yet, but still running: a supervisor that dies now must leave a trace.
            for name, entry in self._previous.items():
                if name in self.units and name not in entries and entry.alive:
                    entries[name] = entry
        try:
            record.save(self._record_file, entries)
        except OSError as error:
            self._listen("supervisor", "warning", f"cannot write the record: {error.strerror}")

    def _publish(self, service: str, *, everything: bool = False) -> None:
        """Offer the replicas whose processes are all ready and that are not draining.

        The last one stays offered even while it restarts: callers then get its proxy's
        answer and may retry, and a supervisor that dies now leaves nobody unreachable.
        """
        units = self.of_service(service)
        replicas = sorted({unit.spec.replica for unit in units})
        offered = [
            replica
            for replica in replicas
            if (service, replica) not in self.draining
            and all(unit.state == "ready" for unit in units if unit.spec.replica == replica)
        ]
        try:
            self._endpoints.publish(service, replicas if everything or not offered else offered)
        except (OSError, TitaniumError) as error:
            # It is called in the middle of starts and restarts, which have to go on.
            self._listen("supervisor", "warning", f"cannot write endpoints: {error}")


def _first(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error to show: the first of ours, else the first of all."""
    found: list[BaseException] = []

    def walk(group: BaseExceptionGroup[BaseException]) -> None:
        for error in group.exceptions:
            if isinstance(error, BaseExceptionGroup):
                walk(error)
            else:
                found.append(error)

    walk(failures)
    return next((f for f in found if isinstance(f, TitaniumError)), found[0])
