"""The whole platform for tests: started by its own command on free ports, in a temporary folder."""

from __future__ import annotations

import json
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

ROOT = Path(__file__).resolve().parents[1]
PORTS_OF_A_RUN = 60


def free_port_base() -> int:
    """The first of `PORTS_OF_A_RUN` neighbouring ports that nobody listens on."""
    for _ in range(200):
        base = 20_000 + secrets.randbelow(10_000)
        if all(_is_free(base + offset) for offset in range(PORTS_OF_A_RUN)):
            return base
    raise AssertionError("no range of free ports found")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@dataclass
class Person:
    """A registered account with its session."""

    username: str
    password: str
    email: str
    token: str = ""
    refresh_token: str = ""

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass
class Platform:
    """A running platform: its address, its state folder, and its command line."""

    home: Path
    base: int
    extra: tuple[str, ...] = ()
    observability: bool = False
    client: httpx2.Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = httpx2.Client(base_url=self.url, timeout=30, trust_env=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.base}"

    @property
    def https_url(self) -> str:
        return f"https://127.0.0.1:{self.base + 1}"

    def titanium(
        self, *arguments: str, check: bool = True, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run `titanium ...` on this platform's state folder; its output is in the result."""
        command = [sys.executable, "-m", "titanium", *arguments, "--home", str(self.home)]
        result = subprocess.run(
            command, capture_output=True, text=True, timeout=300, cwd=ROOT, **options
        )
        if check:
            assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
        return result

    @property
    def console_url(self) -> str:
        return f"http://127.0.0.1:{self.base + 2}"

    @property
    def prometheus_url(self) -> str:
        return f"http://127.0.0.1:{self.base + 3}"

    @property
    def prometheus_account(self) -> tuple[str, str]:
        """User and password of Prometheus and Alertmanager."""
        return "titanium", (self.home / "secrets/observability/password").read_text().strip()

    def up(self) -> None:
        watch = "--observability" if self.observability else "--no-observability"
        self.titanium("up", "-d", "--port-base", str(self.base), watch, *self.extra)

    def down(self) -> None:
        self.titanium("down")

    def status(self) -> dict[str, Any]:
        output = self.titanium("status", "--json", check=False).stdout  # exits 3 when unhealthy
        document: dict[str, Any] = json.loads(output)
        return document

    def processes(self) -> dict[str, dict[str, Any]]:
        """What `titanium status` says of each process, by name."""
        return {process["name"]: process for process in self.status()["processes"]}

    def healthy(self) -> bool:
        """Whether the edge says that every part is ready."""
        try:
            return self.client.get("/health", timeout=5).status_code == 200
        except httpx2.HTTPError:
            return False

    def register(self, prefix: str = "person") -> Person:
        """A new account, logged in."""
        name = f"{prefix}-{secrets.token_hex(5)}"
        person = Person(name, f"correct horse {secrets.token_hex(8)}", f"{name}@example.org")
        answer = self.client.post(
            "/api/register",
            json={"username": name, "email": person.email, "password": person.password},
        )
        assert answer.status_code == 201, answer.text
        self.login(person)
        return person

    def login(self, person: Person) -> None:
        """A new session for `person`; the client's own cookies stay out of it."""
        answer = httpx2.post(
            f"{self.url}/api/login",
            json={"username": person.username, "password": person.password},
            timeout=30,
            trust_env=False,
        )
        assert answer.status_code == 200, answer.text
        person.token = answer.json()["access_token"]
        cookie = answer.cookies.get("titanium_refresh")
        assert cookie
        person.refresh_token = cookie

    def post(self, person: Person, title: str = "A title", content: str = "Some *text*.") -> Any:
        """A new post by `person`: the whole post as the API answers it."""
        answer = self.client.post(
            "/api/posts", json={"title": title, "content": content}, headers=person.bearer
        )
        assert answer.status_code == 201, answer.text
        return answer.json()


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> float:
    """Seconds until `condition` holds; fails after `seconds`."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if condition():
            return time.monotonic() - began
        time.sleep(0.1)
    raise AssertionError(f"{what}: not within {seconds:g} s")


@dataclass
class Load:
    """Requests made by `under_load`: how many, and each one that did not answer as it should."""

    done: int = 0
    failures: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def p95(self) -> float:
        """The 95th percentile of the answers' times, in seconds."""
        return sorted(self.seconds)[int(len(self.seconds) * 0.95)]


@contextmanager
def under_load(
    request: Callable[[httpx2.Client], httpx2.Response], url: str, workers: int = 4
) -> Iterator[Load]:
    """Repeat `request` from `workers` threads while the block runs; 4xx, 5xx and errors fail."""
    load = Load()
    stop = threading.Event()

    def work() -> None:
        with httpx2.Client(base_url=url, timeout=30, trust_env=False) as client:
            while not stop.is_set():
                began = time.monotonic()
                try:
                    answer = request(client)
                except httpx2.HTTPError as error:
                    load.failures.append(repr(error))
                    continue
                load.done += 1
                load.seconds.append(time.monotonic() - began)
                if answer.status_code >= 400:
                    load.failures.append(f"{answer.status_code} {answer.text[:200]}")
                time.sleep(0.005)

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@contextmanager
def running_platform(*extra: str, observability: bool = False) -> Iterator[Platform]:
    """A platform of its own, stopped and removed at the end; `extra` goes to `titanium up`.

    `observability`: with Prometheus, Alertmanager, exporter and console, too.
    """
    with tempfile.TemporaryDirectory(prefix="ti-") as folder:
        platform = Platform(Path(folder) / "home", free_port_base(), extra, observability)
        try:
            platform.up()
            yield platform
        finally:
            platform.client.close()
            platform.titanium("down", check=False)
