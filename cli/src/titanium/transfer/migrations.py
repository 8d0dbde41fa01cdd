"""Tasks on the databases alone (migrations, lost keys), in a running or a stopped platform."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable
from dataclasses import replace

from titanium import state
from titanium.errors import RunningError
from titanium.layout import Home
from titanium.supervise import record
from titanium.supervise.plan import (
    POSTGRES,
    admin_task,
    migration_task,
    postgres_process,
    provision_task,
)
from titanium.supervise.platform import Platform
from titanium.supervise.process import size_of, tail
from titanium.supervise.spec import Plan, TaskSpec
from titanium.supervise.supervisor import Supervisor
from titanium.transfer.platform import is_running, load_platform

# (step, sentence)
Tell = Callable[[str, str], None]


def migrate_all(home: Home, tell: Tell) -> None:
    """Bring every service's database to its newest revision; TitaniumError when one fails."""
    run_tasks(home, _migrations, tell)


def discard_keys(home: Home, tell: Tell) -> None:
    """Replace auth's signing keys by a new one, also when the old ones can no longer be opened."""
    run_tasks(home, _discard, tell)


def run_tasks(home: Home, tasks_of: Callable[[Platform], list[TaskSpec]], tell: Tell) -> None:
    """Run tasks that need a database and nothing else; TitaniumError when one fails.

    In a stopped platform PostgreSQL alone is started for them, and stopped again.
    """
    if is_running(home):
        platform = load_platform(home)
        asyncio.run(_run(_supervisor(platform, Plan(()), home), tasks_of(platform), tell))
        return
    descriptor = state.lock(home)
    if descriptor is None or record.load(home.record):
        raise RunningError(
            f"parts of the platform in {home.root} run without its database",
            "Run `titanium up`: it starts what is missing; or `titanium down`, then try again.",
        )
    try:
        platform = load_platform(home).prepare()
        plan = Plan((postgres_process(platform.around),))
        tasks = [provision_task(platform.around), *tasks_of(platform)]
        asyncio.run(_start_and_run(_supervisor(platform, plan, home), tasks, tell))
    finally:
        os.close(descriptor)


def _supervisor(platform: Platform, plan: Plan, home: Home) -> Supervisor:
    return Supervisor(
        plan,
        home=home.root,
        record_file=home.record,
        endpoints=platform,
        listen=lambda _step, _state, _remark: None,
        remains=platform.clear_remains,
    )


def _discard(platform: Platform) -> list[TaskSpec]:
    words = ("rotate-keys", "--discard")
    return [admin_task(platform.around, platform.services["auth"], *words)]


def _migrations(platform: Platform) -> list[TaskSpec]:
    tasks = []
    for needs in platform.services.values():
        if needs.database is not None:
            task = migration_task(platform.around, needs)
            tasks.append(replace(task, needs=()))
    return tasks


async def _start_and_run(supervisor: Supervisor, tasks: Iterable[TaskSpec], tell: Tell) -> None:
    try:
        await supervisor.start()
        tell(POSTGRES, "started for this alone")
        await _run(supervisor, tasks, tell)
    finally:
        await supervisor.stop()


async def _run(supervisor: Supervisor, tasks: Iterable[TaskSpec], tell: Tell) -> None:
    for task in tasks:
        since = size_of(task.log)
        await supervisor.run_task(task)
        lines = tail(task.log, lines=1, since=since)
        tell(task.name, lines[0] if lines else "done")
