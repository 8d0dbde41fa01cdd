"""Processes that the platform serves without: they never stop it, and are tried again."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from titanium import state
from titanium.layout import Home, Ports
from titanium.supervise import procfs, record
from titanium.supervise.report import Reporter

if TYPE_CHECKING:
    from .conftest import Folder

pytestmark = pytest.mark.integration
Eventually = Callable[[Callable[[], bool]], Awaitable[None]]


async def test_one_that_cannot_start_fails_nothing_and_says_why(
    folder: Folder, eventually: Eventually
) -> None:
    bad = folder.spec("watcher", "fail", optional=True, hint="Do this.")
    supervisor = folder.supervisor(folder.spec("web"), bad)
    await supervisor.start()
    await supervisor.settle(10)
    unit = supervisor.units["watcher"]
    assert supervisor.units["web"].state == "ready"
    assert unit.problem == "watcher exited with status 1 before it was ready. Do this."
    # The same reason is told once, however often it is tried.
    await eventually(lambda: len(folder.steps("starting")) >= 4)
    remarks = [remark for name, state, remark in folder.said if state == "backoff"]
    assert remarks == ["watcher exited with status 1 before it was ready; trying again"]


async def test_a_busy_port_is_named_and_taken_when_it_is_free(
    folder: Folder, eventually: Eventually
) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        supervisor = folder.supervisor(folder.spec("watcher", optional=True, ports=(port,)))
        await supervisor.start()
        await supervisor.settle(10)
        unit = supervisor.units["watcher"]
        assert unit.state == "backoff"
        assert unit.problem.startswith(f"port {port} (watcher) is in use by")
        assert f"(pid {os.getpid()})" in unit.problem
        assert folder.steps("starting") == []
    await eventually(lambda: unit.state == "ready")
    assert unit.problem == ""


async def test_a_slow_one_does_not_keep_the_platform_waiting(folder: Folder) -> None:
    supervisor = folder.supervisor(
        folder.spec("web"), folder.spec("watcher", "silent", optional=True)
    )
    await supervisor.start()
    await supervisor.settle(0.2)
    assert supervisor.units["watcher"].state == "starting"
    await supervisor.stop()
    assert procfs.marked(folder.root) == {}


async def test_it_is_taken_over_like_any_other_and_replaced_when_it_changed(
    folder: Folder,
) -> None:
    specs = (folder.spec("same", optional=True), folder.spec("other", optional=True))
    first = folder.supervisor(*specs)
    await first.start()
    await first.settle(10)
    before = record.load(folder.root / "processes.json")
    await first.release()
    second = folder.supervisor(specs[0], replace(specs[1], env={"NEW": "1"}))
    await second.start()
    await second.settle(10)
    after = record.load(folder.root / "processes.json")
    assert after["same"].pid == before["same"].pid
    assert after["other"].pid != before["other"].pid
    assert procfs.start_ticks(before["other"].pid) is None


async def test_what_was_stopped_stays_so_until_it_is_started(
    folder: Folder, eventually: Eventually
) -> None:
    specs = [folder.spec(f"blog-{n}", service="blog", replica=n) for n in (0, 1)]
    supervisor = folder.supervisor(*specs)
    await supervisor.start()
    await supervisor.stop_units(["blog-1"])
    assert supervisor.units["blog-1"].state == "stopped"
    assert folder.endpoints.offered == {"blog": [0]}
    assert "blog-1" not in record.load(folder.root / "processes.json")
    await supervisor.start_units(["blog-0", "blog-1"])
    assert folder.endpoints.offered == {"blog": [0, 1]}
    assert len(folder.steps("starting")) == 3, "what ran was left as it was"


async def test_a_stop_in_the_middle_of_a_background_start_is_obeyed(folder: Folder) -> None:
    supervisor = folder.supervisor(folder.spec("watcher", "silent", optional=True))
    await supervisor.start()
    await supervisor.settle(0.2)
    await supervisor.stop_units(["watcher"])
    assert supervisor.units["watcher"].state == "stopped"
    assert procfs.marked(folder.root) == {}


async def test_health_tells_what_serves_from_what_watches(folder: Folder) -> None:
    """healthy, degraded, unhealthy; who asks all the time gets the same answer for a moment."""
    supervisor = folder.supervisor(folder.spec("web"), folder.spec("watcher", optional=True))
    reporter = Reporter(_home(folder), Ports(20_000))

    async def state() -> str:
        return (await reporter.status("running", None, supervisor)).state

    await supervisor.start()
    await supervisor.settle(10)
    assert await state() == "healthy"
    cached = await reporter.status("running", None, supervisor, cached=True)
    assert cached is await reporter.status("running", None, supervisor, cached=True)
    await supervisor.stop_units(["watcher"])
    reporter.forget()
    assert (await reporter.status("running", None, supervisor, cached=True)).state == "degraded"
    await supervisor.stop_units(["web"])
    assert await state() == "unhealthy"


async def test_why_one_does_not_run_is_a_note(folder: Folder) -> None:
    supervisor = folder.supervisor(
        folder.spec("web"), folder.spec("watcher", "fail", optional=True, hint="Do this.")
    )
    await supervisor.start()
    await supervisor.settle(10)
    status = await Reporter(_home(folder), Ports()).status("running", None, supervisor)
    assert status.state == "degraded"
    (note,) = status.notes
    assert note.startswith("watcher exited with status 1 before it was ready. Do this (")
    assert "serves without watcher" in note


async def test_a_disk_that_is_nearly_full_is_a_note(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nearly full is made true by asking for more room than any disk has."""
    supervisor = folder.supervisor(folder.spec("web"))
    await supervisor.start()
    reporter = Reporter(_home(folder), Ports())
    assert (await reporter.status("running", None, supervisor)).notes == ()
    monkeypatch.setattr(state, "_NEEDED_BYTES", 2**62)
    status = await reporter.status("running", None, supervisor)
    assert status.state == "degraded"
    (note,) = status.notes
    assert "MiB left" in note
    assert "Next: free space" in note


async def test_processor_time_of_a_process_grows_with_its_work(folder: Folder) -> None:
    supervisor = folder.supervisor(folder.spec("web"))
    await supervisor.start()
    reporter = Reporter(_home(folder), Ports())
    async with asyncio.timeout(10):
        # The system counts in hundredths of a second, each look makes it work a little more.
        while True:
            (web, own) = (await reporter.status("running", None, supervisor)).processes
            if web.cpu > 0 and own.cpu > 0:
                break
    assert (web.name, own.name) == ("web", "supervisor")
    assert web.cpu < 10


async def test_a_folder_that_cannot_be_made_is_named_and_tried_again(
    folder: Folder, eventually: Eventually
) -> None:
    (folder.root / "taken").write_text("not a folder")
    spec = folder.spec("watcher", optional=True, folder=folder.root / "taken")
    supervisor = folder.supervisor(spec)
    await supervisor.start()
    await supervisor.settle(10)
    unit = supervisor.units["watcher"]
    assert unit.problem.startswith(f"cannot make the folder {folder.root / 'taken'}: File exists.")
    (folder.root / "taken").unlink()
    await eventually(lambda: unit.state == "ready")


async def test_an_error_of_the_system_does_not_end_the_trying(
    folder: Folder, eventually: Eventually
) -> None:
    """A folder in the place of its socket cannot be removed as a socket is."""
    spec = folder.spec("watcher", optional=True)
    spec.sockets[0].mkdir()
    supervisor = folder.supervisor(spec)
    await supervisor.start()
    await supervisor.settle(10)
    unit = supervisor.units["watcher"]
    assert unit.problem.startswith(f"watcher cannot be started: {spec.sockets[0]} ")
    spec.sockets[0].rmdir()
    await eventually(lambda: unit.state == "ready")


def _home(folder: Folder) -> Home:
    return Home(folder.root)


def test_memory_that_a_family_shares_counts_once() -> None:
    own = procfs.resident_bytes(os.getpid())
    assert procfs.family_bytes([os.getpid()]) == pytest.approx(own, rel=0.05)
    assert own < procfs.family_bytes([os.getpid(), os.getpid()]) < 2 * own
    assert procfs.family_bytes([]) == 0
