"""The whole life of a platform with the real program, real proxies and stand-in services."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest

from titanium.errors import EXIT_NOT_RUNNING, EXIT_UNHEALTHY, EXIT_USAGE
from titanium.supervise import procfs

if TYPE_CHECKING:
    from ..conftest import Program

pytestmark = pytest.mark.e2e


def get(program: Program, path: str = "/api/one") -> Any:
    url = f"http://127.0.0.1:{program.base}{path}"
    with urllib.request.urlopen(url, timeout=5) as answer:
        return json.load(answer)


def until_healthy(program: Program, within: float, *, but: dict[str, int]) -> float:
    """Seconds until all is healthy and no process has a pid of `but` any more."""
    began = time.monotonic()
    while time.monotonic() - began < within:
        status = program.status()
        pids = {process["name"]: process["pid"] for process in status["processes"]}
        if status["state"] == "healthy" and all(pids[n] != pid for n, pid in but.items()):
            return time.monotonic() - began
    raise AssertionError(f"not healthy after {within} s: {program.status()}")


def test_up_prints_addresses_and_everything_answers(running: Program) -> None:
    said = running.up().stdout
    assert said.startswith("already running")
    assert f"http://127.0.0.1:{running.base}/blog/" in said
    assert get(running)["status"] == "ok"
    status = running.status()
    assert status["state"] == "healthy"
    names = {process["name"] for process in status["processes"]}
    parts = {"postgres", "redis", "gateway", "supervisor"}
    assert names == parts | {f"{s}-0{p}" for s in ("one", "two") for p in ("", "-sidecar")}
    table = running.run("status").stdout
    assert all(name in table for name in names)


def test_state_is_private_and_ports_are_on_loopback(running: Program) -> None:
    for path in running.home.rglob("*"):
        if path.is_dir() or (path.is_file() and "postgres" not in path.parts):
            assert path.stat().st_mode & 0o077 == 0, path
    for process in running.status()["processes"]:
        command = Path(f"/proc/{process['pid']}/cmdline").read_bytes()
        for secret in (running.home / "secrets").rglob("*"):
            if secret.is_file():
                assert secret.read_bytes() not in command


def test_a_second_up_at_the_same_time_waits_for_the_first(stopped: Program) -> None:
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(stopped.run, "up", "-d", "--no-seed", code=None) for _ in range(2)]
        results = [done.result() for done in both]
    assert [result.returncode for result in results] == [0, 0], results
    assert stopped.status()["state"] == "healthy"


@pytest.mark.parametrize(
    "name", ["postgres", "redis", "one-0", "one-0-sidecar", "two-0", "gateway"]
)
def test_a_killed_process_is_back_within_15_seconds(running: Program, name: str) -> None:
    before = running.pids()[name]
    os.kill(before, signal.SIGKILL)
    until_healthy(running, 15, but={name: before})
    assert get(running)["status"] == "ok"


def test_the_death_of_the_supervisor_stops_nothing_and_up_takes_over(running: Program) -> None:
    before = running.pids()
    os.kill(running.status()["supervisor"], signal.SIGKILL)
    time.sleep(0.2)
    assert get(running)["status"] == "ok"
    orphaned = running.run("status", code=EXIT_UNHEALTHY).stdout
    assert "titanium up" in orphaned
    assert running.up().stdout.count("taken over") == len(before)
    assert running.pids() == before


def test_up_after_the_supervisors_death_restarts_only_what_died(running: Program) -> None:
    before = running.pids()
    os.kill(running.status()["supervisor"], signal.SIGKILL)
    os.kill(before["one-0"], signal.SIGKILL)
    running.up()
    after = running.pids()
    assert {name for name in before if before[name] != after[name]} == {"one-0"}


def test_down_without_a_supervisor_stops_everything(running: Program) -> None:
    before = running.pids()
    os.kill(running.status()["supervisor"], signal.SIGKILL)
    assert running.run("down").stdout.endswith("stopped\n")
    for pid in before.values():
        assert procfs.start_ticks(pid) is None
    running.run("status", code=EXIT_NOT_RUNNING)


class Load:
    """Asks for one path again and again in threads of its own; counts what did not succeed."""

    def __init__(self, program: Program, path: str) -> None:
        self._url = f"http://127.0.0.1:{program.base}{path}"
        self._stop = threading.Event()
        self.count = 0
        self.failures: list[str] = []

    def _work(self) -> None:
        while not self._stop.wait(0.05):
            try:
                with urllib.request.urlopen(self._url, timeout=10) as answer:  # noqa: S310
                    answer.read()
            except OSError as error:
                self.failures.append(str(error))
            self.count += 1

    def __enter__(self) -> Self:
        self._threads = [threading.Thread(target=self._work) for _ in range(3)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


@pytest.mark.parametrize("replicas", [1, 2])
def test_restarting_a_service_fails_no_request(running: Program, replicas: int) -> None:
    """Bar 19; a lone replica is stood in for."""
    running.up("--replicas", f"one={replicas}")
    before = running.pids()
    with Load(running, "/api/one") as load:
        running.run("restart", "one")
    assert load.count > 20
    assert load.failures == []
    after = running.pids()
    assert sorted(after) == sorted(before)
    assert all(after[name] != before[name] for name in after if name.startswith("one-"))
    running.up("--replicas", "one=1")
    assert "one-1" not in running.pids()


@pytest.mark.parametrize("name", ["gateway", "redis", "postgres"])
def test_parts_without_replicas_can_be_restarted(running: Program, name: str) -> None:
    before = running.pids()[name]
    running.run("restart", name)
    assert running.pids()[name] != before
    assert get(running)["status"] == "ok"


def test_restarting_what_does_not_exist_names_what_does(running: Program) -> None:
    done = running.run("restart", "nothing", code=EXIT_USAGE)
    assert "one, two, gateway" in done.stderr


def test_logs_are_shown_by_service_and_followed(running: Program) -> None:
    said = running.run("logs", "one").stdout
    assert "one-0" in said
    assert "two-0" not in said
    done = running.run("logs", "nothing", code=EXIT_USAGE)
    assert "postgres" in done.stderr
    with subprocess.Popen(
        [*running.command, "logs", "-f", "-n", "0", "gateway-access"],
        stdout=subprocess.PIPE,
        text=True,
        env=running.environment,
    ) as follower:
        assert follower.stdout is not None
        asking = threading.Event()

        def ask() -> None:
            # It may take a while to start on a busy machine, and shows only what comes after.
            while not asking.wait(0.5):
                get(running, "/api/two")

        asker = threading.Thread(target=ask)
        asker.start()
        found = any('"path":"/api/two"' in line for line in follower.stdout)
        follower.send_signal(signal.SIGINT)
        asking.set()
        asker.join()
        assert found
    assert follower.returncode == 130


def test_a_hung_process_shows_in_status(running: Program) -> None:
    pid = running.pids()["one-0"]
    os.kill(pid, signal.SIGSTOP)
    try:
        done = running.run("status", code=EXIT_UNHEALTHY)
        assert "not ready" in done.stdout
    finally:
        os.kill(pid, signal.SIGCONT)
    until_healthy(running, 10, but={})


def test_a_hung_supervisor_is_named_and_replaced(running: Program) -> None:
    """It must neither look dead nor keep `down` waiting for ever."""
    before, supervisor = running.pids(), running.status()["supervisor"]
    os.kill(supervisor, signal.SIGSTOP)
    for command in (("status",), ("up", "-d"), ("down",)):
        done = running.run(*command, code=EXIT_UNHEALTHY)
        assert f"(pid {supervisor}) does not answer" in done.stderr
    os.kill(supervisor, signal.SIGKILL)
    running.up()
    assert running.pids() == before


def test_foreground_up_stops_everything_on_interrupt(stopped: Program) -> None:
    with subprocess.Popen(
        [*stopped.command, "up", "--no-seed", "--no-observability"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=stopped.environment,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "Ctrl-C" in line:
                break
        assert "Ctrl-C" in lines[-1], lines
        assert stopped.status()["state"] == "healthy"
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
    assert process.returncode == 0, rest
    assert "Traceback" not in rest
    stopped.run("status", code=EXIT_NOT_RUNNING)


def test_nothing_is_left_when_down_returns(running: Program) -> None:
    """The folder may be deleted or unmounted then."""
    supervisor = running.status()["supervisor"]
    running.run("down")
    assert procfs.start_ticks(supervisor) is None
    assert procfs.marked(running.home) == {}


def test_a_start_that_is_stopped_says_so(stopped: Program) -> None:
    with ThreadPoolExecutor(1) as pool:
        start = pool.submit(stopped.run, "up", "-d", "--no-seed", code=None)
        while not (stopped.home / "run/supervisor.sock").exists():
            time.sleep(0.01)
        stopped.run("down")
        done = start.result()
    assert done.returncode == EXIT_UNHEALTHY
    assert "stopped before everything was ready" in done.stderr


def test_two_platforms_live_side_by_side(
    running: Program, make_program: Callable[..., Program]
) -> None:
    other = make_program("one")
    other.up()
    assert get(other)["pid"] != get(running)["pid"]
    other.run("down")
    assert get(running)["status"] == "ok"


def test_an_ordinary_user_needs_nothing_more(make_program: Callable[..., Program]) -> None:
    """In a user namespace without root's identity; as root, this suite runs the other case."""
    program = make_program("one")
    prefix: tuple[str, ...] = ()
    if os.geteuid() == 0:
        prefix = ("unshare", "--user", "--map-user=1000", "--map-group=1000", "--")
    arguments = ("up", "-d", "--no-seed", "--port-base", str(program.base))
    program.run(*arguments, prefix=prefix)
    assert get(program)["status"] == "ok"
    program.run("down", prefix=prefix)


def test_reset_asks_and_then_deletes_everything(make_program: Callable[..., Program]) -> None:
    program = make_program("one")
    program.up()
    program.run("reset", code=130)
    assert program.status()["state"] == "healthy"
    program.run("reset", "--yes")
    assert not program.home.exists()
    with contextlib.suppress(OSError):
        get(program)
        raise AssertionError("it still answers")
