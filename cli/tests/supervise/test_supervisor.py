"""The supervisor with real processes: order, crashes, failure, adoption, stopping."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from titanium.errors import PortBusyError, ToolMissingError, UnhealthyError
from titanium.supervise import liveness, procfs, record
from titanium.supervise.protocol import Event

if TYPE_CHECKING:
    from .conftest import Folder

pytestmark = pytest.mark.integration
Eventually = Callable[[Callable[[], bool]], Awaitable[None]]


def pids(folder: Folder) -> dict[str, int]:
    return {name: entry.pid for name, entry in record.load(folder.root / "processes.json").items()}


async def test_steps_start_when_what_they_need_is_ready_and_stop_in_reverse(
    folder: Folder,
) -> None:
    supervisor = folder.supervisor(
        folder.spec("web", needs=("migrate",)),
        folder.task("migrate", "print('done')", needs=("data",)),
        folder.spec("data"),
    )
    await supervisor.start()
    assert [step for step in folder.said if step[1] in ("ready", "done")] == [
        ("data", "ready", folder.said[1][2]),
        ("migrate", "done", ""),
        ("web", "ready", folder.said[-1][2]),
    ]
    await supervisor.stop()
    assert folder.steps("stopped") == ["web", "data"]
    assert pids(folder) == {}


async def test_a_killed_process_is_started_again_at_once(
    folder: Folder, eventually: Eventually
) -> None:
    supervisor = folder.supervisor(folder.spec("web"))
    await supervisor.start()
    before = pids(folder)["web"]
    os.kill(before, signal.SIGKILL)
    unit = supervisor.units["web"]
    await eventually(lambda: unit.restarts == 1 and unit.state == "ready")
    assert pids(folder)["web"] != before
    assert ("web", "backoff", "was killed by SIGKILL; starting it again") in folder.said


async def test_a_process_that_keeps_crashing_waits_longer_each_time(
    folder: Folder, eventually: Eventually
) -> None:
    supervisor = folder.supervisor(folder.spec("web"))
    await supervisor.start()
    unit = supervisor.units["web"]
    for restarts in (1, 2):
        assert unit.process is not None
        os.kill(unit.process.pid, signal.SIGKILL)
        await eventually(lambda n=restarts: unit.restarts == n and unit.state == "ready")  # type: ignore[misc]
    remarks = [remark for _, state, remark in folder.said if state == "backoff"]
    assert remarks[1].endswith("starting it again in 0.5 s")


async def test_a_process_that_cannot_start_ends_the_start_with_its_last_lines(
    folder: Folder,
) -> None:
    supervisor = folder.supervisor(
        folder.spec("good"), folder.spec("bad", "fail", needs=("good",), hint="Do this.")
    )
    with pytest.raises(UnhealthyError) as raised:
        await supervisor.start()
    assert raised.value.message == "bad exited with status 1 before it was ready"
    assert raised.value.hint == "Do this."
    assert raised.value.details == ("bad says fail", "cannot open the thing")
    assert pids(folder) == {}
    assert procfs.marked(folder.root) == {}


async def test_a_process_that_never_answers_is_given_up_and_killed(folder: Folder) -> None:
    supervisor = folder.supervisor(folder.spec("mute", "silent", ready_within=0.3))
    with pytest.raises(UnhealthyError, match=r"mute was not ready within 0\.3 s"):
        await supervisor.start()
    assert procfs.marked(folder.root) == {}


async def test_a_program_that_does_not_exist_is_named(folder: Folder) -> None:
    supervisor = folder.supervisor(folder.spec("web", argv=("/nowhere/web",)))
    with pytest.raises(ToolMissingError, match="cannot run /nowhere/web"):
        await supervisor.start()


async def test_a_failing_task_ends_the_start_with_its_last_lines(folder: Folder) -> None:
    supervisor = folder.supervisor(
        folder.task("migrate", "raise SystemExit('no column')"),
        folder.spec("web", needs=("migrate",)),
    )
    with pytest.raises(UnhealthyError) as raised:
        await supervisor.start()
    assert raised.value.message == "migrate exited with status 1"
    assert raised.value.details == ("no column",)


async def test_a_task_that_hangs_is_ended(folder: Folder) -> None:
    supervisor = folder.supervisor(
        folder.task("migrate", "import time; time.sleep(60)", timeout=0.3),
        folder.spec("web", needs=("migrate",)),
    )
    with pytest.raises(UnhealthyError, match="took longer than"):
        await supervisor.start()
    assert procfs.marked(folder.root) == {}


async def test_a_process_that_ignores_the_request_to_stop_is_killed(folder: Folder) -> None:
    supervisor = folder.supervisor(folder.spec("web", "stubborn", stop_within=0.2))
    await supervisor.start()
    began = time.monotonic()
    await supervisor.stop()
    assert time.monotonic() - began < 3
    assert procfs.marked(folder.root) == {}


async def test_the_next_supervisor_takes_over_without_restarting_anything(
    folder: Folder,
) -> None:
    steps = (folder.spec("web", needs=("migrate",)), folder.task("migrate", "print(1)"))
    first = folder.supervisor(*steps)
    await first.start()
    before = pids(folder)
    await first.release()
    folder.said.clear()
    second = folder.supervisor(*steps)
    await second.start()
    assert pids(folder) == before
    assert second.units["web"].adopted
    assert folder.steps("done") == [], "a migration for a process that runs already"


async def test_an_adopted_process_is_watched_like_any_other(
    folder: Folder, eventually: Eventually
) -> None:
    first = folder.supervisor(folder.spec("web"))
    await first.start()
    await first.release()
    second = folder.supervisor(folder.spec("web"))
    await second.start()
    os.kill(pids(folder)["web"], signal.SIGKILL)
    unit = second.units["web"]
    await eventually(lambda: unit.restarts == 1 and unit.state == "ready")


async def test_only_what_changed_is_restarted_and_what_is_gone_is_stopped(
    folder: Folder,
) -> None:
    first = folder.supervisor(folder.spec("same"), folder.spec("changed"), folder.spec("gone"))
    await first.start()
    before = pids(folder)
    await first.release()
    second = folder.supervisor(folder.spec("same"), folder.spec("changed", env={"NEW": "1"}))
    await second.start()
    after = pids(folder)
    assert after["same"] == before["same"]
    assert after["changed"] != before["changed"]
    assert sorted(after) == ["changed", "same"]
    assert procfs.start_ticks(before["gone"]) is None


async def test_processes_of_a_lost_record_are_found_and_replaced(folder: Folder) -> None:
    first = folder.supervisor(folder.spec("web"))
    await first.start()
    before = pids(folder)["web"]
    await first.release()
    (folder.root / "processes.json").unlink()
    second = folder.supervisor(folder.spec("web"))
    await second.start()
    assert procfs.start_ticks(before) is None
    assert sorted(procfs.marked(folder.root).values()) == ["web"]


async def test_a_busy_port_is_named_with_its_holder_before_anything_starts(
    folder: Folder,
) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        supervisor = folder.supervisor(folder.spec("data"), folder.spec("web", ports=(port,)))
        with pytest.raises(PortBusyError) as raised:
            await supervisor.start()
    assert f"port {port} (web) is in use by" in raised.value.message
    assert f"(pid {os.getpid()})" in raised.value.message
    assert folder.steps("starting") == []


async def test_a_failed_start_leaves_what_it_had_taken_over(folder: Folder) -> None:
    first = folder.supervisor(folder.spec("web"))
    await first.start()
    before = pids(folder)["web"]
    await first.release()
    second = folder.supervisor(folder.spec("web"), folder.spec("bad", "fail"))
    with pytest.raises(UnhealthyError):
        await second.start()
    assert procfs.start_ticks(before) is not None
    third = folder.supervisor(folder.spec("web"))
    await third.start()
    assert pids(folder)["web"] == before


async def test_only_replicas_that_are_ready_and_not_draining_are_offered(
    folder: Folder, eventually: Eventually
) -> None:
    specs = [folder.spec(f"blog-{n}", service="blog", replica=n) for n in (0, 1)]
    supervisor = folder.supervisor(*specs)
    await supervisor.start()
    assert folder.endpoints.offered == {"blog": [0, 1]}
    supervisor.drain("blog", 0)
    assert folder.endpoints.offered == {"blog": [1]}
    supervisor.undrain("blog", 0)
    unit = supervisor.units["blog-1"]
    assert unit.process is not None
    os.kill(unit.process.pid, signal.SIGKILL)
    await eventually(lambda: folder.endpoints.offered == {"blog": [0]})
    await eventually(lambda: folder.endpoints.offered == {"blog": [0, 1]})


async def test_a_replacement_that_fails_is_tried_again(
    folder: Folder, eventually: Eventually
) -> None:
    flag = folder.root / "flag"
    code = (
        f"import os, sys; os.path.exists({str(flag)!r}) or sys.exit('not yet');"
        "exec(sys.argv.pop(1))"
    )
    good = folder.spec("web")
    supervisor = folder.supervisor(good)
    await supervisor.start()
    shy = folder.spec("web", argv=(good.argv[0], "-c", code, *good.argv[2:]))
    with pytest.raises(UnhealthyError):
        await supervisor.replace(shy)
    flag.touch()
    await eventually(lambda: supervisor.units["web"].state == "ready")


async def test_added_processes_that_cannot_start_do_not_stay(folder: Folder) -> None:
    supervisor = folder.supervisor(folder.spec("web"))
    await supervisor.start()
    with pytest.raises(UnhealthyError):
        await supervisor.add([folder.spec("more"), folder.spec("bad", "fail")])
    assert sorted(supervisor.units) == ["web"]
    assert sorted(pids(folder)) == ["web"]


async def test_processes_outlive_the_terminal_and_write_to_private_logs(folder: Folder) -> None:
    supervisor = folder.supervisor(folder.spec("web"))
    await supervisor.start()
    log: Path = folder.root / "web.log"
    assert os.getsid(pids(folder)["web"]) == pids(folder)["web"]
    assert log.read_text() == "web says serve\n"
    assert log.stat().st_mode & 0o777 == 0o600


async def test_a_process_that_hangs_is_replaced(folder: Folder, eventually: Eventually) -> None:
    """SIGSTOP: it runs, keeps its socket, and answers nobody."""
    spec = folder.spec("hangs")
    supervisor = folder.supervisor(replace(spec, liveness=spec.probe))
    await supervisor.start()
    unit = supervisor.units["hangs"]
    said: list[Event] = []
    watching = asyncio.create_task(liveness.watch(supervisor.units, said.append, 0.1, 0.4))
    await asyncio.sleep(0.8)
    assert said == [], "one that answers is left alone"
    first = unit.process
    assert first is not None
    os.kill(first.pid, signal.SIGSTOP)
    await eventually(lambda: unit.process is not first and unit.state == "ready")
    watching.cancel()
    assert [event.step for event in said] == ["hangs"]


async def test_a_full_disk_does_not_end_the_watch_over_a_service(
    folder: Folder, eventually: Eventually
) -> None:
    """Which replicas may be called cannot be written: a crashed one is started again all the
    same, and everything can be stopped."""
    supervisor = folder.supervisor(folder.spec("blog-0", service="blog"))
    await supervisor.start()
    folder.endpoints.full = True
    unit = supervisor.units["blog-0"]
    assert unit.process is not None
    before = unit.process.pid
    os.kill(before, signal.SIGKILL)
    await eventually(lambda: unit.state == "ready" and unit.restarts == 1)
    assert unit.process.pid != before
    warning = "cannot write endpoints: endpoints cannot be written: No space left on device"
    assert ("supervisor", "warning", warning) in folder.said
    await supervisor.stop()
    assert procfs.marked(folder.root) == {}
