"""How the platform is: asked of its processes, for `titanium status` and the console."""

from __future__ import annotations

import asyncio
import os
import time

from titanium.layout import HOST, Home, Ports
from titanium.state import scarce_space
from titanium.supervise import probe, procfs
from titanium.supervise.platform import Platform
from titanium.supervise.protocol import Fault, PlatformStatus, ProcessStatus
from titanium.supervise.supervisor import Supervisor
from titanium.supervise.unit import Unit

# Seconds for which an answer serves those who ask all the time.
FRESH = 1.0


class Reporter:
    """Makes PlatformStatus; many askers at a time cost as much as one."""

    def __init__(self, home: Home, ports: Ports) -> None:
        self._home = home
        self._ports = ports
        self._last: PlatformStatus | None = None
        self._at = 0.0
        self._asking = asyncio.Lock()

    def forget(self) -> None:
        """Something changed: the last answer serves nobody any more."""
        self._last = None

    async def status(
        self,
        phase: str,
        platform: Platform | None,
        supervisor: Supervisor | None,
        faults: tuple[Fault, ...] = (),
        *,
        cached: bool = False,
    ) -> PlatformStatus:
        """Ask every process now; `cached`: an answer up to FRESH seconds old will do."""
        if not cached:
            return await self._ask(phase, platform, supervisor, faults)
        async with self._asking:
            if self._last is None or time.monotonic() - self._at > FRESH:
                self._last = await self._ask(phase, platform, supervisor, faults)
                self._at = time.monotonic()
            return self._last

    async def _ask(
        self,
        phase: str,
        platform: Platform | None,
        supervisor: Supervisor | None,
        faults: tuple[Fault, ...],
    ) -> PlatformStatus:
        units = list(supervisor.units.values()) if supervisor else []
        parents = procfs.parent_table()
        found = await asyncio.gather(*(_describe(unit, parents) for unit in units))
        processes = (*found, self._describe_self())
        observed = platform.observability if platform else None
        scarce = scarce_space(self._home.root)
        notes = (
            *([scarce] if scarce else []),
            *(observed.notes if observed else ()),
            *_notes(processes),
        )
        if phase == "running":
            phase = _health(processes, notes)
        return PlatformStatus(
            state=phase,
            home=str(self._home.root),
            url=f"http://{HOST}:{self._ports.http}",
            https_url=f"https://localhost:{self._ports.https}",
            supervisor=os.getpid(),
            processes=processes,
            faults=faults,
            console=observed.console if observed else "",
            notes=notes,
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
            # Without its children that have ended: each of them was counted as its own process.
            cpu=round(sum(os.times()[:2]), 2),
        )


def _health(processes: tuple[ProcessStatus, ...], notes: tuple[str, ...]) -> str:
    if any(one.state != "ready" for one in processes if not one.optional):
        return "unhealthy"
    optional = all(one.state == "ready" for one in processes if one.optional)
    return "healthy" if optional and not notes else "degraded"


def _notes(processes: tuple[ProcessStatus, ...]) -> tuple[str, ...]:
    """Why optional processes do not run; those that were stopped on purpose need no words."""
    return tuple(
        f"{one.detail.rstrip('.')} (the platform serves without {one.name}, which is tried again)"
        for one in processes
        if one.optional and one.detail and one.state not in ("ready", "not ready")
    )


async def _describe(unit: Unit, parents: dict[int, int]) -> ProcessStatus:
    process = unit.process if unit.process is not None and unit.process.running else None
    what, detail = str(unit.state), unit.problem
    if what == "ready":
        answer = await probe.ask(unit.spec.probe, 1.0)
        if not answer.ready:
            what, detail = "not ready", answer.text[:500]
    family = procfs.family(process.pid, parents) if process else []
    return ProcessStatus(
        name=unit.spec.name,
        kind=unit.spec.kind,
        state=what,
        pid=process.pid if process else None,
        uptime=round(unit.uptime, 1) if process else 0.0,
        memory=procfs.family_bytes(family),
        restarts=unit.restarts,
        address=unit.spec.address,
        service=unit.spec.service,
        detail=detail,
        cpu=round(sum(procfs.cpu_seconds(pid) for pid in family), 2),
        optional=unit.spec.optional,
    )
