"""Runs an image's command as Kubernetes would: as process 1 under the image's numeric user, with
a root file system that cannot be written and an environment of its own. Needs root."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.images.builder import Image

# $1: the files, $2: secrets or empty, $3: owner of the writable folders; then the command.
# Mounts are private to the namespace and end with it.
_ENTER = """
set -eu
root=$1 secrets=$2 owner=$3
shift 3
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=0755 tmpfs "$root/run"
mkdir -p "$root/run/envoy" "$root/run/secrets/titanium"
chown "$owner" "$root/run/envoy"
if [ -n "$secrets" ]; then mount --bind -o ro "$secrets" "$root/run/secrets/titanium"; fi
mount -o remount,bind,ro "$root"
exec "$@"
"""

# Brings a new network's own address up: what `ip link set lo up` does, where there is no ip.
_LOOPBACK = """
import fcntl, socket, struct
with socket.socket() as any:
    fcntl.ioctl(any, 0x8914, struct.pack("16sH14s", b"lo", 1, b""))
"""
_ASK = """
import sys, urllib.error, urllib.request
try:
    print(urllib.request.urlopen(sys.argv[1], timeout=5).status)
except urllib.error.HTTPError as error:
    print(error.code)
except OSError:
    print(0)
"""


@dataclass
class Running:
    """A started command; its output is in `output`, a file."""

    process: subprocess.Popen[bytes]
    output: Path

    def text(self) -> str:
        return self.output.read_text(errors="replace")

    def terminate(self, within: float) -> int:
        """Send SIGTERM to process 1 and return its exit status; fails after `within` seconds."""
        os.kill(self._first(), signal.SIGTERM)
        return self.process.wait(within)

    def kill(self) -> None:
        """What is left, at once: with process 1 every other of its namespace ends."""
        if self.process.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self._first(), signal.SIGKILL)
            self.process.wait(10)

    def status(self, port: int, path: str) -> int:
        """Of a GET from inside a network of its own; 0 when nobody answers."""
        command = ["nsenter", "--net", "--target", str(self._first()), sys.executable, "-c", _ASK]
        url = f"http://127.0.0.1:{port}{path}"
        done = subprocess.run([*command, url], capture_output=True, text=True, timeout=20)
        return int(done.stdout or 0)

    def raise_loopback(self) -> None:
        """Give a new network its address 127.0.0.1."""
        enter = ["nsenter", "--net", "--target", str(self._first())]
        subprocess.run([*enter, sys.executable, "-c", _LOOPBACK], check=True, timeout=20)

    def _first(self) -> int:
        """The pid of the namespace's process 1 as this machine sees it."""
        pid = self.process.pid
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            if children:
                return int(children[0])
            time.sleep(0.02)
        raise AssertionError(self.text())


@contextmanager
def started(
    image: Image,
    output: Path,
    command: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    secrets: Path | None = None,
    *,
    own_network: bool = False,
) -> Iterator[Running]:
    """`command` (by default the image's) in its files; killed at the end.

    With `own_network` its ports are not this machine's: ask by `Running.status`.
    """
    chroot = shutil.which("chroot")
    assert chroot is not None
    user = image.config["User"]
    variables = {**image.environment, **(environment or {})}
    inner = [
        "env",
        "-i",
        *(f"{name}={value}" for name, value in variables.items()),
        *(chroot, f"--userspec={user}", "--groups=", str(image.files)),
        *(command or image.command),
    ]
    outer = ["unshare", "--mount", "--pid", "--fork", *(["--net"] if own_network else [])]
    outer += ["sh", "-c", _ENTER, "sh"]
    folders = [str(image.files), str(secrets or ""), user]
    with output.open("wb") as log:
        process = subprocess.Popen([*outer, *folders, *inner], stdout=log, stderr=log)
    running = Running(process, output)
    try:
        if own_network:
            running.raise_loopback()
        yield running
    finally:
        running.kill()


def can_enter() -> bool:
    """Whether this machine lets us make namespaces and mount in them."""
    if os.geteuid() != 0:
        return False
    command = ["unshare", "--mount", "--pid", "--fork", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    try:
        return subprocess.run(command, capture_output=True, timeout=10, check=False).returncode == 0
    except OSError:
        return False
