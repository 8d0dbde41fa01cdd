"""One database node: its rendered files on disk; etcd, Patroni and the proxy as processes."""

from __future__ import annotations

import base64
import json
import os
import signal
import ssl
import subprocess
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.terraform.patroni.network import Place
from tests.terraform.patroni.programs import Programs
from tests.terraform.patroni.render import Rendered

HERE = Path(__file__).parent


@dataclass
class Node:
    """`root` is to the node what `/` is to a server."""

    name: str
    place: Place
    root: Path
    rendered: Rendered
    programs: Programs
    prefix: tuple[str, ...]
    ports: dict[str, int]
    secrets: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    lost: bool = False

    @property
    def address(self) -> str:
        return self.place.address

    def write_files(self) -> None:
        """What cloud-init does with `write_files`, and the folders of `runcmd`."""
        for file in self.rendered.files:
            path = Path(file["path"])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(file["content"])
            path.chmod(int(file["mode"], 8))
        paths = self.rendered.paths
        for name in ("sockets", "log", "lock", "spool", "etcd"):
            Path(paths[name]).mkdir(parents=True, exist_ok=True)
        Path(paths["data"]).parent.mkdir(parents=True, exist_ok=True)
        Path(paths["etcd"]).chmod(0o700)

    @property
    def disk(self) -> Path:
        """Where the data volume is mounted on a server."""
        return Path(self.rendered.paths["data"]).parents[1]

    def mount(self, mib: int) -> None:
        """A data volume of so many MiB."""
        self.disk.mkdir(parents=True)
        options = f"size={mib}m,mode=0755"
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.disk)]
        subprocess.run(command, check=True)

    def unmount(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.disk)], check=True)

    def fill_disk(self) -> Path:
        """Leaves no room on the data volume; delete what it returns to have it back."""
        filler = self.disk / "filler"
        with suppress(OSError), filler.open("wb") as file:
            while True:
                file.write(bytes(1 << 20))
                file.flush()
        return filler

    def make_identity(self) -> subprocess.Popen[bytes]:
        """The first start's certificates and passwords, by the node's own program."""
        program = f"{self.rendered.paths['programs']}/titanium-database-identity"
        return self._start("identity", [program, self.rendered.paths["identity"]])

    def start_etcd(self) -> None:
        command = [self.programs.etcd, "--config-file", self.rendered.paths["etcd_config"]]
        self._start("etcd", command)

    def start_patroni(self) -> None:
        command = [*self.programs.patroni, self.rendered.paths["patroni"]]
        self._start("patroni", command, self._unit_environment())

    def start_proxy(self) -> None:
        """In the foreground, as a master process would run it."""
        self._start("proxy", [self.programs.haproxy, "-db", "-f", self.rendered.paths["proxy"]])

    def backup(self, kind: str) -> None:
        """The node's own backup program, as its timer runs it."""
        self.run_program("backup", kind)

    def run_program(self, name: str, *arguments: str, ok: int = 0) -> str:
        """What a program of the node, which a timer calls on a server, says."""
        (self.root / f"{name}.log").unlink(missing_ok=True)
        program = f"{self.rendered.paths['programs']}/titanium-database-{name}"
        status = self._start(name, [program, *arguments], {"DONE": f"{self.root}/{name}.done"})
        assert status.wait(120) == ok, self.log(name)
        return self.log(name)

    def _unit_environment(self) -> dict[str, str]:
        """What `EnvironmentFile=` of Patroni's unit gives it."""
        lines = Path(self.rendered.paths["secrets"]).read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def _start(
        self, what: str, command: list[str], extra: dict[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        environment = os.environ | self.programs.environment | (extra or {})
        environment |= {
            "PATH": f"{HERE}:{environment['PATH']}",
            "TITANIUM_TEST_SECRETS": str(self.secrets),
            "LC_ALL": "C.UTF-8",
        }
        with (self.root / f"{what}.log").open("ab") as log:
            process = subprocess.Popen(
                [*self.place.prefix, *self.prefix, *command],
                cwd=self.root,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.processes[what] = process
        return process

    def log(self, what: str, lines: int = 40) -> str:
        path = self.root / f"{what}.log"
        text = path.read_text(errors="replace") if path.exists() else "(no log)"
        return "\n".join(text.splitlines()[-lines:])

    def running(self, what: str) -> bool:
        process = self.processes.get(what)
        return process is not None and process.poll() is None

    def postmaster(self) -> int | None:
        """PostgreSQL's process id; None when it has none."""
        pid_file = Path(self.rendered.paths["data"]) / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().split()[0])
            os.kill(pid, 0)
        except (OSError, ValueError, IndexError):
            return None
        return pid

    def kill_postgres(self) -> None:
        """SIGKILL to the postmaster alone: its children find out by themselves."""
        pid = self.postmaster()
        assert pid is not None, f"{self.name} has no PostgreSQL"
        os.kill(pid, signal.SIGKILL)

    def family(self) -> list[int]:
        """PostgreSQL's postmaster and its children."""
        pid = self.postmaster()
        if pid is None:
            return []
        try:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        except OSError:
            children = []
        return [pid, *(int(child) for child in children)]

    def signal(self, what: str, number: signal.Signals) -> None:
        if self.running(what):
            self.processes[what].send_signal(number)

    def kill(self, *whats: str) -> None:
        """SIGKILL, and wait for the end."""
        for what in whats:
            self.signal(what, signal.SIGKILL)
            if process := self.processes.get(what):
                process.wait(10)

    def lose(self) -> None:
        """The machine is gone, all at once; where it has a network of its own, without a word."""
        self.lost = True
        self.place.unplug()
        family = self.family()
        self.signal("patroni", signal.SIGKILL)
        for pid in family:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.kill("patroni", "proxy", "etcd")

    def start(self) -> None:
        """The machine is there, or there again."""
        self.lost = False
        self.place.plug()
        self.start_etcd()
        self.start_patroni()
        self.start_proxy()

    def certificate(self, name: str) -> Path:
        return Path(self.rendered.paths["certificates"]) / name

    def tls(self, certificate: bool = True) -> ssl.SSLContext:
        """A client's side of the cluster's TLS; with this node's certificate or without one."""
        context = ssl.create_default_context(cafile=str(self.certificate("ca.crt")))
        if certificate:
            context.load_cert_chain(self.certificate("node.crt"), self.certificate("node.key"))
        return context

    def ask(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        certificate: bool = True,
        password: bool = True,
        timeout: float = 10,
    ) -> tuple[int, str]:
        """Patroni's answer (status, text); status 0 when it did not answer."""
        if self.lost:
            return 0, ""
        request = urllib.request.Request(
            f"https://{self.address}:{self.ports['patroni']}{path}",
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"Content-Type": "application/json"},
        )
        if password:
            environment = self._unit_environment()
            account = (
                f"{environment['PATRONI_RESTAPI_USERNAME']}"
                f":{environment['PATRONI_RESTAPI_PASSWORD']}"
            )
            encoded = base64.b64encode(account.encode()).decode()
            request.add_header("Authorization", f"Basic {encoded}")
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=self.tls(certificate)),
        )
        try:
            with opener.open(request, timeout=timeout) as answer:
                return int(answer.status), answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def leads(self) -> bool:
        return self.ask("GET", "/primary", password=False, timeout=3)[0] == 200

    def follows(self) -> bool:
        """Whether it is a running replica that streams."""
        status, text = self.ask("GET", "/replica", password=False, timeout=3)
        return status == 200 and json.loads(text).get("replication_state", "streaming") in (
            "streaming",
            None,
        )

    def is_synchronous(self) -> bool:
        return self.ask("GET", "/synchronous", password=False, timeout=3)[0] == 200
