"""Small real processes for the supervisor to look after."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from titanium.errors import StateError
from titanium.supervise.spec import HttpProbe, Plan, ProcessSpec, TaskSpec
from titanium.supervise.supervisor import Supervisor

SERVER = """
import signal, socket, sys, time
name, how, path = sys.argv[1:4]
print(name, "says", how, flush=True)
if how == "fail":
    sys.exit("cannot open the thing")
if how == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if how == "silent":
    time.sleep(60)
listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
listener.listen()
while True:
    connection, _ = listener.accept()
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
    connection.close()
"""


class Endpoints:
    """Remembers what was published last for each service; refuses it while `full`."""

    def __init__(self) -> None:
        self.offered: dict[str, list[int]] = {}
        self.full = False

    def publish(self, service: str, replicas: Iterable[int]) -> None:
        if self.full:
            raise StateError("endpoints cannot be written: No space left on device")
        self.offered[service] = list(replicas)


class Folder:
    """Makes specs and supervisors in one state folder and remembers what they said."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.said: list[tuple[str, str, str]] = []
        self.endpoints = Endpoints()
        self.supervisors: list[Supervisor] = []

    def spec(self, name: str, how: str = "serve", **changes: Any) -> ProcessSpec:
        socket = self.root / f"{name}.sock"
        spec = ProcessSpec(
            name=name,
            kind="app",
            argv=(sys.executable, "-c", SERVER, name, how, str(socket)),
            folder=self.root / "work",
            log=self.root / f"{name}.log",
            probe=HttpProbe("/", socket=socket),
            sockets=(socket,),
            stop_within=3.0,
            ready_within=10.0,
        )
        return replace(spec, **changes)

    def task(self, name: str, code: str, **changes: Any) -> TaskSpec:
        task = TaskSpec(
            name=name,
            argv=(sys.executable, "-c", code),
            folder=self.root / "work",
            log=self.root / f"{name}.log",
        )
        return replace(task, **changes)

    def supervisor(self, *steps: ProcessSpec | TaskSpec) -> Supervisor:
        plan = Plan(
            tuple(step for step in steps if isinstance(step, ProcessSpec)),
            tuple(step for step in steps if isinstance(step, TaskSpec)),
        )
        supervisor = Supervisor(
            plan,
            home=self.root,
            record_file=self.root / "processes.json",
            endpoints=self.endpoints,
            listen=lambda *event: self.said.append(event),
        )
        self.supervisors.append(supervisor)
        return supervisor

    def steps(self, state: str) -> list[str]:
        """Names of steps in the order in which they reached `state`."""
        return [name for name, reached, _ in self.said if reached == state]


@pytest.fixture
async def folder(short_folder: Path) -> AsyncIterator[Folder]:
    made = Folder(short_folder)
    yield made
    for supervisor in made.supervisors:
        await supervisor.stop()


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], Awaitable[None]]:
    """A function that waits until a condition holds, at most ten seconds."""
    import asyncio

    async def wait(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110 - tests watch from the outside
                await asyncio.sleep(0.02)

    return wait
