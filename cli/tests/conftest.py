"""Fixtures of the command line's tests: free ports, stand-in services, the real program."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from titanium.supervise.process import tail

REPOSITORY = Path(__file__).resolve().parents[2]

STAND_IN = """
import json, os

def create_app():
    answer = os.environ.get("OTEL_STAND_IN", "")
    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            while True:
                message = await receive()
                await send({"type": message["type"] + ".complete"})
                if message["type"] == "lifespan.shutdown":
                    return
        body = json.dumps({"status": "ok", "pid": os.getpid(), "answer": answer}).encode()
        headers = [(b"content-type", b"application/json"),
                   (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
    return app
"""

SERVICE = """
[service]
name = "{name}"
app = "stand_in_{name}.main:create_app"
description = "Stands in for a service."
[[routes]]
prefix = "/api/{name}"
methods = ["GET", "HEAD"]
token = false
limit = "read"
[needs]
postgres = "{name}"
redis = true
[slo]
availability = 99.9
latency_p95_ms = 250
"""


def free_port_base(count: int = 60) -> int:
    """First of `count` free TCP ports, below the range that outgoing connections use."""
    for _ in range(200):
        base = random.randrange(20_000, 32_000)  # noqa: S311 - not a secret
        try:
            for port in range(base, base + count):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return base
    raise AssertionError("no free ports")


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """Started in the background of a shell, we and our children would ignore Ctrl-C."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def no_sockets_left(tmp_path: Path) -> Iterator[None]:
    """State folders as deep as pytest's have their sockets elsewhere: remove that, too."""
    yield
    for run in tmp_path.rglob("run"):
        if run.is_symlink() and run.readlink().name.startswith(f"titanium-{os.getuid()}-"):
            shutil.rmtree(run.readlink(), ignore_errors=True)


@dataclass
class Program:
    """The program `titanium` with a checkout and a state folder of its own."""

    checkout: Path
    home: Path
    base: int
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "TITANIUM_ROOT": str(self.checkout),
            "TITANIUM_HOME": str(self.home),
            "PYTHONPATH": str(self.checkout / "lib"),
            **self.variables,
        }

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-P", "-c", "from titanium.main import main; main()"]

    def run(
        self, *arguments: str, code: int | None = 0, prefix: tuple[str, ...] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Run it; fails unless it exits with `code` (None: any) and without a traceback.

        `up` leaves out what observes a run, unless its arguments ask for it.
        """
        if arguments[0] == "up" and "--observability" not in arguments:
            arguments = (*arguments, "--no-observability")
        done = subprocess.run(
            [*prefix, *self.command, *arguments],
            capture_output=True,
            text=True,
            env=self.environment,
            timeout=120,
            check=False,
        )
        said = done.stdout + done.stderr
        assert "Traceback" not in said, said
        assert code is None or done.returncode == code, f"exit {done.returncode}: {said}"
        return done

    def up(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        return self.run(
            "up", "-d", "--no-seed", "--port-base", str(self.base), *arguments, code=code
        )

    def status(self) -> dict[str, Any]:
        done = self.run("status", "--json", code=None)
        journal = "\n".join(tail(self.home / "logs/supervisor.log", 40))
        assert done.returncode in (0, 3), f"{done.stderr}\n{journal}"
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def pids(self) -> dict[str, int]:
        """Pid of every process but the supervisor."""
        return {
            process["name"]: process["pid"]
            for process in self.status()["processes"]
            if process["name"] != "supervisor"
        }


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A private folder with a path short enough for Unix sockets."""
    with tempfile.TemporaryDirectory(prefix="ti-") as name:
        yield Path(name)


@pytest.fixture(scope="module")
def make_program() -> Iterator[Callable[..., Program]]:
    """A function: names of stand-in services -> a Program; everything is stopped at the end."""
    made: list[Program] = []
    folders: list[str] = []

    def make(*services: str) -> Program:
        folders.append(tempfile.mkdtemp(prefix="ti-"))
        checkout = Path(folders[-1]) / "checkout"
        for name in services or ("one",):
            package = checkout / "lib" / f"stand_in_{name}"
            (package / "migrations").mkdir(parents=True)
            (package / "__init__.py").touch()
            (package / "migrations" / "__init__.py").touch()
            (package / "main.py").write_text(STAND_IN)
            (checkout / "services" / name).mkdir(parents=True)
            (checkout / "services" / name / "service.toml").write_text(SERVICE.format(name=name))
        for part in ("mesh", "services/gateway"):
            shutil.copytree(REPOSITORY / part, checkout / part)
        program = Program(checkout, Path(folders[-1]) / "home", free_port_base())
        made.append(program)
        return program

    yield make
    for program in made:
        program.run("down", code=None)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
