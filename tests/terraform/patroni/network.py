"""Where the nodes of a test are: each in a network of its own, or, without root, side by side on
loopback. Only in networks of their own can they be cut off from each other.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field

# 198.18.0.0/15 is for tests of networks: no route of anybody's leads there.
_BLOCK = "198.18"
_HOST = 1
_FIRST = 11
# Nobody's: a packet to it is lost without a word, as on a cable that was pulled.
_NOWHERE = "02:00:00:00:00:01"


def why_not() -> str:
    """Why nodes cannot have networks of their own here; empty when they can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    missing = [name for name in ("unshare", "nsenter", "ip") if not shutil.which(name)]
    if missing:
        return f"not on PATH: {', '.join(missing)}"
    tried = subprocess.run(["unshare", "--net", "true"], capture_output=True, text=True)
    return f"unshare: {tried.stderr.strip()}" if tried.returncode else ""


@dataclass
class Place:
    """Where one node is. `prefix`: words before a command that run it there."""

    address: str
    prefix: tuple[str, ...] = ()
    neighbours: list[Place] = field(default_factory=list)

    @property
    def apart(self) -> bool:
        """Whether it has a network of its own."""
        return bool(self.prefix)

    def cut_off(self) -> None:
        """Between it and the other nodes nothing passes; clients still reach it."""
        for other in self.neighbours:
            self._forget(other)
            other._forget(self)

    def heal(self) -> None:
        """As before `cut_off`."""
        for other in self.neighbours:
            self._ip("neigh", "del", other.address, "dev", "wire", check=False)
            other._ip("neigh", "del", self.address, "dev", "wire", check=False)

    def unplug(self) -> None:
        """Nobody reaches it any more, and nobody is told."""
        if self.apart:
            self._ip("link", "set", "wire", "down")

    def plug(self) -> None:
        if self.apart:
            self._ip("link", "set", "wire", "up")

    def _forget(self, other: Place) -> None:
        where = ("lladdr", _NOWHERE, "dev", "wire", "nud", "permanent")
        self._ip("neigh", "replace", other.address, *where)

    def _ip(self, *words: str, check: bool = True) -> None:
        assert self.apart, "on loopback nothing can be cut"
        command = [*self.prefix, "ip", *words]
        done = subprocess.run(command, capture_output=True, text=True)
        assert not check or done.returncode == 0, f"{command}: {done.stderr}"


@contextlib.contextmanager
def places(count: int = 3) -> Iterator[list[Place]]:
    """Addresses for `count` nodes, in networks of their own where that is possible."""
    if why_not():
        block = f"127.{secrets.randbelow(200) + 20}.{secrets.randbelow(250) + 2}"
        yield [Place(f"{block}.{_FIRST + i}") for i in range(count)]
        return
    with contextlib.ExitStack() as stack:
        number = secrets.randbelow(250) + 2
        block = f"{_BLOCK}.{number}"
        switch = _namespace(stack)
        _run(*switch, "ip", "link", "add", "switch", "type", "bridge")
        _run(*switch, "ip", "link", "set", "switch", "up")
        _wire(switch, (), f"ti-db-{number}", f"{block}.{_HOST}/24")
        made = []
        for i in range(count):
            prefix = _namespace(stack)
            _wire(switch, prefix, "wire", f"{block}.{_FIRST + i}/24")
            made.append(Place(f"{block}.{_FIRST + i}", prefix))
        for place in made:
            place.neighbours = [other for other in made if other is not place]
        yield made


def _namespace(stack: contextlib.ExitStack) -> tuple[str, ...]:
    """A new one, which ends with `stack`; its interfaces go with it."""
    holder = subprocess.Popen(
        ["unshare", "--net", "sh", "-c", "ip link set lo up; echo up; exec sleep infinity"],
        stdout=subprocess.PIPE,
        text=True,
    )
    stack.callback(holder.wait, 10)
    stack.callback(holder.kill)
    assert holder.stdout is not None
    stack.callback(holder.stdout.close)
    assert holder.stdout.readline() == "up\n"
    return ("nsenter", f"--net=/proc/{holder.pid}/ns/net", "--")


def _wire(switch: tuple[str, ...], to: tuple[str, ...], name: str, address: str) -> None:
    """A cable from the switch to the namespace `to` (or, empty, to ourselves)."""
    port = f"p{secrets.token_hex(4)}"
    pid = _pid(switch)
    where = ("netns", _pid(to)) if to else ()
    _run("ip", "link", "add", port, "netns", pid, "type", "veth", "peer", "name", name, *where)
    _run(*switch, "ip", "link", "set", port, "master", "switch", "up")
    _run(*to, "ip", "address", "add", address, "dev", name)
    _run(*to, "ip", "link", "set", name, "up")


def _pid(prefix: tuple[str, ...]) -> str:
    return prefix[1].split("/")[2]


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {done.stderr}"
