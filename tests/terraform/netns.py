"""Machines for tests of networks: namespaces of their own for network, mounts and processes.

Everything that runs in a machine ends with it, and its interfaces and mounts go with it: nothing is
left on the host. Needs root.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from titanium.debian import Tree, fetch

# With what bookworm's minimal images lack of their libraries.
_WIREGUARD = ("wireguard-go", "wireguard-tools")
_NFTABLES = ("nftables", "libnftables1", "libnftnl11", "libmnl0", "libjansson4", "libxtables12")
_STRONGSWAN = (
    *("strongswan-charon", "strongswan-libcharon", "libstrongswan", "strongswan-swanctl"),
    *("libcharon-extra-plugins", "libstrongswan-standard-plugins", "libstrongswan-extra-plugins"),
)
# Nothing of who runs the tests: neither their programs nor their credentials.
_ENVIRONMENT: Mapping[str, str] = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
}
_STARTED = "machine is up"
# /usr and /etc get a layer of the machine's own: what cloud-init writes lands in the real places.
_BOOT = f"""
set -e
mount -t tmpfs tmpfs {{folder}}
cd {{folder}}
mkdir usr.upper usr.work etc.upper etc.work
layer() {{{{
    mount -t overlay overlay -o "lowerdir=$2,upperdir=$1.upper,workdir=$1.work" /$1
}}}}
layer usr {{lower}}/usr
layer etc /etc
mount -t tmpfs tmpfs /run
ip link set lo up
echo {_STARTED}
exec sleep infinity
"""

# What machines are made of: a container may have the namespaces and not the rest.
_PROBE = """
set -e
mount -t tmpfs tmpfs {folder}
cd {folder}
mkdir upper work
mount -t overlay overlay -o lowerdir=/etc,upperdir=upper,workdir=work /etc
ip link add probe type bridge
ip link add one type veth peer name two
ip tuntap add dev probe-tun mode tun
"""
_UNSHARE = (
    *("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"),
    *("--propagation", "private"),
)


def why_not() -> str:
    """Why machines cannot be made here; empty when they can."""
    if sys.platform != "linux":
        return "network namespaces are Linux's"
    if os.geteuid() != 0:
        return "network namespaces and tunnels need root"
    if missing := [
        name for name in ("unshare", "nsenter", "ip", "sysctl") if not shutil.which(name)
    ]:
        return f"not on PATH: {', '.join(missing)}"
    if not Path("/dev/net/tun").exists():
        return "there is no /dev/net/tun"
    with tempfile.TemporaryDirectory() as folder:
        script = _PROBE.format(folder=folder)
        tried = subprocess.run([*_UNSHARE, "sh", "-c", script], capture_output=True, text=True)
    said = tried.stderr.strip().splitlines() or [f"exit status {tried.returncode}"]
    return f"namespaces cannot be used here: {said[-1]}" if tried.returncode else ""


def programs() -> list[Tree]:
    """WireGuard, nftables and strongSwan from Debian's packages, unpacked and not installed."""
    folder = Path(sys.prefix) / "debian"
    folder.mkdir(exist_ok=True)
    return [fetch(names, folder) for names in (_WIREGUARD, _NFTABLES, _STRONGSWAN)]


class Machine:
    """One machine; `run` runs a program in it."""

    def __init__(self, name: str, folder: Path, trees: Sequence[Tree]) -> None:
        self.name = name
        folder.mkdir()
        self.pid = 0
        self._started: list[subprocess.Popen[bytes]] = []
        # Later lower layers are below earlier ones: what the host has is the last.
        lower = "/usr:".join(str(tree.root) for tree in trees) + "/usr:"
        script = _BOOT.format(folder=folder, lower=lower)
        self._outer = subprocess.Popen(
            [*_UNSHARE, "sh", "-c", script],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._outer.stdout is not None
        said = self._outer.stdout.readline().strip()
        if said != _STARTED:
            self.stop()
            raise AssertionError(f"{name}: {said}")
        children = Path(f"/proc/{self._outer.pid}/task/{self._outer.pid}/children")
        self.pid = int(children.read_text().split()[0])

    def stop(self) -> None:
        """End it with everything in it."""
        # The first process of a namespace takes the others with it; its parent then ends by itself.
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
        elif self._outer.poll() is None:
            self._outer.kill()
        self._outer.wait(20)
        self.pid = 0
        for process in self._started:
            process.wait(20)
        if self._outer.stdout:
            self._outer.stdout.close()

    def _command(self, command: Sequence[str]) -> list[str]:
        return ["nsenter", "-t", str(self.pid), "-n", "-m", "-p", "--", *command]

    def run(
        self,
        *command: str,
        check: bool = True,
        environment: Mapping[str, str] | None = None,
        timeout: float = 30,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program in the machine; AssertionError with its output when it fails."""
        done = subprocess.run(
            self._command(command),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=timeout,
            env={**_ENVIRONMENT, **(environment or {})},
        )
        if check:
            assert done.returncode == 0, f"{self.name}: {command}\n{done.stdout}{done.stderr}"
        return done

    def start(self, *command: str, log: Path, environment: Mapping[str, str] | None = None) -> None:
        """Start a program in the machine; its output goes to `log`."""
        with log.open("wb") as file:
            process = subprocess.Popen(
                self._command(command),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                env={**_ENVIRONMENT, **(environment or {})},
            )
        self._started.append(process)

    def python(
        self, code: str, *arguments: str, check: bool = True, timeout: float = 30
    ) -> subprocess.CompletedProcess[str]:
        """Run Python in the machine."""
        return self.run(sys.executable, "-c", code, *arguments, check=check, timeout=timeout)

    def write(self, path: str, content: str, mode: str = "0644") -> None:
        """A file in the machine's own /etc or /usr (or /run)."""
        code = (
            "import os, sys, pathlib; p = pathlib.Path(sys.argv[1]);"
            "p.parent.mkdir(parents=True, exist_ok=True); p.write_text(sys.argv[2]);"
            "os.chmod(p, int(sys.argv[3], 8))"
        )
        self.python(code, path, content, mode)

    def route(self, network: str, via: str) -> None:
        self.run("ip", "route", "add", network, "via", via)

    def forwards(self) -> None:
        """Let packets through from one interface to the other."""
        self.run("sysctl", "-q", "-w", "net.ipv4.ip_forward=1")


def wire(segment: Machine, machine: Machine, interface: str, address: str) -> None:
    """Connect `machine` to the switch `segment` as `interface` with `address` (with prefix)."""
    port = f"{machine.name}-{interface}"[:15]
    subprocess.run(
        [
            *("ip", "link", "add", port, "netns", str(segment.pid), "type", "veth"),
            *("peer", "name", interface, "netns", str(machine.pid)),
        ],
        check=True,
    )
    segment.run("ip", "link", "set", port, "master", "switch", "up")
    machine.run("ip", "address", "add", address, "dev", interface)
    machine.run("ip", "link", "set", interface, "up")


def switch(machine: Machine) -> Machine:
    """Make a machine a switch that others are wired to."""
    machine.run("ip", "link", "add", "switch", "type", "bridge")
    machine.run("ip", "link", "set", "switch", "up")
    return machine


def eventually(condition: object, seconds: float = 15.0) -> bool:
    """Whether the callable `condition` becomes true within `seconds`."""
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True
