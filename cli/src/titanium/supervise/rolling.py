"""Changing a running service without a failed request: restart, more and fewer replicas."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Protocol

from titanium.errors import UsageError
from titanium.layout import MAX_REPLICAS
from titanium.supervise.plan import migration_name
from titanium.supervise.probe import http_get
from titanium.supervise.spec import ProcessSpec
from titanium.supervise.supervisor import Supervisor

# Proxies learn of a new endpoint file by inotify, at once; a call that was being routed at
# that moment is under way by the end of this pause.
NOTICE = 0.5
DRAIN = 10.0
ACTIVE = "http.inbound.downstream_rq_active"


class Instances(Protocol):
    """Makes the specs of one replica, with its files written."""

    def instance(self, service: str, replica: int) -> tuple[ProcessSpec, ...]: ...


async def restart_service(supervisor: Supervisor, instances: Instances, service: str) -> None:
    """Restart every replica, one after the other.

    A lone replica gets a second one for as long as it is away. UnhealthyError when a
    replica does not come back; the others then go on serving.
    """
    await _migrate(supervisor, service)
    replicas = _replicas(supervisor, service)
    spare = None
    if len(replicas) == 1:
        spare = _free(replicas)
        await supervisor.add(instances.instance(service, spare))
    for replica in replicas:
        await _restart_replica(supervisor, instances, service, replica)
    if spare is not None:
        await _remove_replica(supervisor, service, spare)


async def scale(supervisor: Supervisor, instances: Instances, service: str, count: int) -> None:
    """Run `count` replicas; the newest go first. UsageError outside 1 to 9."""
    if not 1 <= count <= MAX_REPLICAS:
        raise UsageError(
            f"{service}: {count} replicas are not possible", f"Choose 1 to {MAX_REPLICAS}."
        )
    while len(replicas := _replicas(supervisor, service)) < count:
        await supervisor.add(instances.instance(service, _free(replicas)))
    while len(replicas := _replicas(supervisor, service)) > count:
        await _remove_replica(supervisor, service, replicas[-1])


async def restart_one(supervisor: Supervisor, name: str) -> None:
    """Stop and start a process that has no replica: calls fail until it is back."""
    await supervisor.replace(supervisor.units[name].spec)


def _replicas(supervisor: Supervisor, service: str) -> list[int]:
    return sorted({unit.spec.replica for unit in supervisor.of_service(service)})


def _free(replicas: list[int]) -> int:
    return next(number for number in range(MAX_REPLICAS + 1) if number not in replicas)


async def _migrate(supervisor: Supervisor, service: str) -> None:
    for task in supervisor.plan.tasks:
        if task.name == migration_name(service):
            await supervisor.run_task(task)


async def _restart_replica(
    supervisor: Supervisor, instances: Instances, service: str, replica: int
) -> None:
    specs = instances.instance(service, replica)
    supervisor.drain(service, replica)
    try:
        await _until_idle(supervisor, service, replica)
        for spec in specs:
            await supervisor.replace(spec)
    finally:
        supervisor.undrain(service, replica)
    # The next replica leaves only when every proxy has had time to use this one again.
    await asyncio.sleep(NOTICE)


async def _remove_replica(supervisor: Supervisor, service: str, replica: int) -> None:
    supervisor.drain(service, replica)
    try:
        await _until_idle(supervisor, service, replica)
        await supervisor.remove(
            unit.spec.name
            for unit in supervisor.of_service(service)
            if unit.spec.replica == replica
        )
    finally:
        supervisor.undrain(service, replica)


async def _until_idle(supervisor: Supervisor, service: str, replica: int) -> None:
    """Wait until the replica's proxy has no request under way, at most DRAIN seconds."""
    await asyncio.sleep(NOTICE)
    admin = next(
        unit.spec.folder / "admin.sock"
        for unit in supervisor.of_service(service)
        if unit.spec.kind == "sidecar" and unit.spec.replica == replica
    )
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DRAIN):
            while await _active(admin) > 0:  # noqa: ASYNC110 - the proxy can only be asked
                await asyncio.sleep(0.05)


async def _active(admin: Path) -> int:
    """Requests under way; 0 when the proxy does not answer: then nobody can be waiting for it."""
    try:
        async with asyncio.timeout(2):
            _, body = await http_get(f"/stats?filter=^{ACTIVE}$", socket=admin)
        return int(body.decode().rpartition(":")[2].strip() or 0)
    except (OSError, EOFError, ValueError):
        return 0
