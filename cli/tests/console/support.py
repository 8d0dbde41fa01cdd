"""What the console's tests are made of: a state, answers of Prometheus, a console that runs."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import httpx2

from cli.tests.conftest import REPOSITORY, free_port_base
from titanium.console.poller import Snapshot
from titanium.console.prometheus import Alert, Sample
from titanium.console.signals import by_name
from titanium.state import open_home
from titanium.supervise.protocol import Fault, PlatformStatus, ProcessStatus

TOKEN, SCRAPE_TOKEN = "o" * 43, "s" * 43
NOW = 1_000_000.0


def process(name: str, kind: str = "app", state: str = "ready", **facts: object) -> ProcessStatus:
    """A process of the service that its name begins with."""
    every = {
        "pid": 100,
        "uptime": 75.0,
        "memory": 50_000_000,
        "restarts": 0,
        "address": "127.0.0.1:1",
        "service": name.partition("-")[0],
        **facts,
    }
    return ProcessStatus(name=name, kind=kind, state=state, **every)  # type: ignore[arg-type]


def status(*processes: ProcessStatus, state: str = "healthy", **facts: object) -> PlatformStatus:
    return PlatformStatus(
        state,
        "/home",
        "http://127.0.0.1:1",
        "",
        1,
        processes or (process("gateway", "gateway"), process("blog-0"), process("user-0")),
        **facts,  # type: ignore[arg-type]
    )


def snapshot(samples: tuple[Sample, ...] = (), **facts: object) -> Snapshot:
    """What the pages show: a healthy platform unless `facts` say something else."""
    whole: dict[str, object] = {"status": status(), "metrics": by_name(samples), **facts}
    return Snapshot(**whole)  # type: ignore[arg-type]


def sample(name: str, value: float, **labels: str) -> Sample:
    return Sample({"__name__": name, **labels}, value)


def alert(name: str, state: str = "firing", severity: str = "critical", **labels: str) -> Alert:
    return Alert(name, state, severity, labels, {"summary": f"{name} says"}, NOW - 90)


def fault(service: str, seconds: float = 30) -> Fault:
    return Fault(service, 200, 503, 50, NOW + seconds)


@dataclass
class Console:
    """The console's own process, without a supervisor and without Prometheus."""

    home: Path
    base: int
    process: subprocess.Popen[bytes]

    @property
    def port(self) -> int:
        return self.base + 2

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.home / "console.out").read_text("utf-8")

    def client(self, **options: object) -> httpx2.Client:
        """A browser without a session; redirects are not followed."""
        return httpx2.Client(base_url=self.url, timeout=10, trust_env=False, **options)  # type: ignore[arg-type]

    def session(self) -> httpx2.Client:
        """A browser that is logged in."""
        with self.client() as client:
            answer = client.get("/login", params={"token": TOKEN})
            assert answer.status_code == 303, answer.text
            return self.client(cookies=dict(client.cookies))

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(15)


def start_console(folder: Path) -> Console:
    """Start a console on free ports, with a state folder of its own, and wait until it answers."""
    home = open_home(folder)
    for owner, name, secret in (
        ("console", "token", TOKEN),
        ("observability", "scrape_token", SCRAPE_TOKEN),
        ("observability", "password", "p" * 43),
    ):
        path = home.secret(owner, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(secret)
    base = free_port_base(10)
    with (folder / "console.out").open("wb") as log:
        console = Console(
            folder,
            base,
            subprocess.Popen(
                [sys.executable, "-P", "-m", "titanium.console", str(folder)],
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=REPOSITORY,
                env={"PATH": "/usr/bin", "TITANIUM_PORT_BASE": str(base)},
            ),
        )
    deadline = time.monotonic() + 30
    with console.client() as client:
        while True:
            assert console.process.poll() is None, console.log
            assert time.monotonic() < deadline, console.log
            try:
                if client.get("/healthz").status_code == 200:
                    return console
            except httpx2.HTTPError:
                time.sleep(0.1)
