"""A platform of its own: a temporary state folder, free ports, rate limits out of the way."""

from __future__ import annotations

import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from titanium import state
from titanium.errors import PortBusyError, TitaniumError
from titanium.layout import Home, Ports
from titanium.mesh.policy import POLICY_FILE
from titanium.provision.postgres import SUPERUSER
from titanium.supervise import client
from titanium.supervise.plan import POSTGRES
from titanium.supervise.ports import check_port
from titanium.supervise.process import environment
from titanium.supervise.protocol import PlatformStatus
from titanium.tools import find_postgres_bin

_PORTS = 60
_UP_WITHIN, _DOWN_WITHIN = 300.0, 120.0
_RAISED = 1_000_000
_LIMIT_VALUE = re.compile(r"^(requests|burst)\s*=.*$")


@dataclass(frozen=True, slots=True)
class Instance:
    """A platform in `root`; `up` and `down` are `titanium up -d` and `titanium down`."""

    root: Path
    port_base: int
    policy: Path

    @property
    def home(self) -> Home:
        return state.find_home(self.root)

    @property
    def port(self) -> int:
        return Ports(self.port_base).http

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def up(self, *, observability: bool = True) -> float:
        """Start and wait until everything is ready; the seconds that it took."""
        began = time.monotonic()
        self._titanium(
            _UP_WITHIN,
            *("up", "-d", "--bench", "--port-base", str(self.port_base)),
            *("--policy", str(self.policy)),
            "--observability" if observability else "--no-observability",
        )
        return time.monotonic() - began

    def down(self) -> None:
        self._titanium(_DOWN_WITHIN, "down")

    def add_posts(self, count: int) -> None:
        """Have the blog service write `count` posts of its own into its database."""
        from titanium.transfer.platform import admin

        admin(self.home, "blog").run("bulk", str(count))
        self._vacuum()

    def _vacuum(self) -> None:
        """What autovacuum does to a table at rest: first readers of new rows write, too."""
        done = subprocess.run(
            [
                str(find_postgres_bin() / "psql"),
                "--no-psqlrc",
                "--no-password",
                f"--host={self.home.postgres_sockets}",
                f"--username={SUPERUSER}",
                "--dbname=blog",
                "--command=VACUUM (ANALYZE)",
            ],
            env=environment({"PGPASSFILE": str(self.home.secret(POSTGRES, "pgpass"))}),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise TitaniumError(
                f"the benchmark's database cannot be vacuumed: {done.stderr.strip()[-200:]}",
                f"Read {self.home.log(POSTGRES)}.",
            )

    def processes(self) -> dict[str, int]:
        """Name and pid of every process of the run, the supervisor among them.

        TitaniumError when one of them is missing: what is left must not be measured.
        """
        status = self._healthy()
        pids = {one.name: one.pid for one in status.processes if one.pid is not None}
        if status.supervisor is not None:
            pids["supervisor"] = status.supervisor
        return pids

    def optional(self) -> frozenset[str]:
        """Names of the processes that only observe. TitaniumError like `processes`."""
        return frozenset(one.name for one in self._healthy().processes if one.optional)

    def _healthy(self) -> PlatformStatus:
        status = client.status(self.home)
        if status is None or status.state != "healthy":
            what = status.state if status else "gone"
            raise TitaniumError(
                f"the benchmark's platform is {what}",
                "Run the benchmark again on a machine that does nothing else.",
                tuple(f"{p.name}: {p.state} {p.detail}" for p in status.processes)
                if status
                else (),
            )
        return status

    def _titanium(self, timeout: float, *arguments: str) -> None:
        try:
            done = subprocess.run(
                [sys.executable, "-m", "titanium", *arguments, "--home", str(self.root)],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout,
                check=False,
                # Ctrl-C is for us: we stop what we started, in order.
                start_new_session=True,
            )
        except subprocess.TimeoutExpired:
            raise TitaniumError(
                f"titanium {arguments[0]} did not end within {timeout:g} s",
                "Run the benchmark again on a machine that does nothing else.",
            ) from None
        if done.returncode != 0:
            lines = tuple(line for line in done.stderr.splitlines() if line.strip())
            raise TitaniumError(
                f"titanium {arguments[0]} failed with status {done.returncode}",
                "See the lines above.",
                lines[-12:],
            )


@contextmanager
def own_instance(checkout: Path) -> Iterator[Instance]:
    """A platform to start; whatever happens, it is stopped and its folder removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="titanium-bench-"))
    before = signal.signal(signal.SIGTERM, _interrupt)
    policy = folder / "policy.toml"
    policy.write_text(raise_limits((checkout / POLICY_FILE).read_text("utf-8")), "utf-8")
    instance = Instance(folder / "home", free_port_base(), policy)
    try:
        yield instance
    finally:
        # A second Ctrl-C must not leave anything behind.
        interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            if instance.root.exists():
                instance.down()
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            signal.signal(signal.SIGINT, interrupt)
            signal.signal(signal.SIGTERM, before)


def raise_limits(policy: str) -> str:
    """The text of policy.toml with every rate limit so high that no client meets it."""
    lines = []
    inside = False
    for line in policy.splitlines():
        if line.startswith("["):
            inside = line.startswith("[limits.")
        found = _LIMIT_VALUE.match(line) if inside else None
        if inside and line.startswith("per_seconds"):
            lines.append("per_seconds = 1")
        else:
            lines.append(f"{found.group(1)} = {_RAISED}" if found else line)
    return "\n".join(lines) + "\n"


def free_port_base() -> int:
    """The first of a range of ports on loopback that nobody uses. PortBusyError without one."""
    for _ in range(200):
        base = 20_000 + secrets.randbelow(12_000)
        try:
            for offset in range(_PORTS):
                check_port(base + offset, "the benchmark")
        except PortBusyError:
            continue
        return base
    raise PortBusyError("no range of free ports was found", "Stop some of what listens here.")


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt
