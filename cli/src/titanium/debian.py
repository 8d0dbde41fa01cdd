"""Takes programs out of Debian packages: no root, nothing installed. Standard library only.

`fetch` downloads packages with the system's own apt (its sources, its keys) and unpacks them
into a folder. Where apt's lists are empty or apt may not be used, it is given a state folder
of its own and fetches the lists first.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from titanium.errors import ToolMissingError

_TIMEOUT = 300


@dataclass(frozen=True)
class Tree:
    """Unpacked packages; `root` is to them what `/` would be."""

    root: Path

    def program(self, path: str) -> Path:
        """`usr/bin/wrk` as an absolute path; ToolMissingError when the package has none."""
        found = self.root / path
        if not os.access(str(found), os.X_OK):
            raise ToolMissingError(
                f"{self.root} has no program {path}",
                f"Delete {self.root} to have it fetched again.",
            )
        return found

    def environment(self) -> dict[str, str]:
        """Variables with which its programs find its libraries."""
        folders = [str(p) for p in sorted(self.root.glob("usr/lib/*-linux-gnu*")) if p.is_dir()]
        folders += [str(p) for p in sorted(self.root.glob("lib/*-linux-gnu*")) if p.is_dir()]
        kept = [os.environ["LD_LIBRARY_PATH"]] if os.environ.get("LD_LIBRARY_PATH") else []
        return {"LD_LIBRARY_PATH": ":".join(folders + kept)} if folders else {}


class _Deadline:
    """What is left of the seconds that a fetch may take."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        return max(0.1, self._end - time.monotonic())


def fetch(packages: tuple[str, ...], folder: Path, within: float = _TIMEOUT) -> Tree:
    """Unpack `packages` together into `folder/<first package>`, unless that was done before.

    Dependencies are not followed: name what the system may lack. ToolMissingError says which
    package, why (longer than `within` seconds is a reason), and what to do.
    """
    deadline = _Deadline(within)
    target = folder / packages[0]
    if target.is_dir():
        return Tree(target)
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            raise ToolMissingError(
                f"{packages[0]} comes from a Debian package, and this system has no {program}",
                f"Install {packages[0]} yourself, so that PATH has it.",
            )
    work = folder / f".{packages[0]}.{os.getpid()}"
    shutil.rmtree(work, ignore_errors=True)
    try:
        (work / "root").mkdir(parents=True)
        _download(packages, work, folder / ".apt", deadline)
        for archive in sorted(work.glob("*.deb")):
            unpack = ["dpkg-deb", "-x", str(archive), str(work / "root")]
            _run(unpack, work, packages[0], deadline)
        if not target.is_dir():
            (work / "root").rename(target)
    except OSError as error:
        raise ToolMissingError(
            f"cannot unpack {packages[0]} into {folder}: {error.strerror}",
            "Free space, or correct the folder's permissions.",
        ) from None
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return Tree(target)


def _download(packages: tuple[str, ...], work: Path, state: Path, deadline: _Deadline) -> None:
    """First with the system's lists, then with lists of our own."""
    try:
        _run(["apt-get", *_sandbox(), "download", *packages], work, packages[0], deadline)
    except ToolMissingError:
        options = _own_state(state)
        _run(["apt-get", *options, "update"], work, packages[0], deadline)
        _run(["apt-get", *options, "download", *packages], work, packages[0], deadline)


def _sandbox() -> list[str]:
    """As root, apt would drop to an account that cannot write into a private folder."""
    return ["-q", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=2"]


def _own_state(state: Path) -> list[str]:
    for name in ("lists/partial", "cache/archives/partial"):
        (state / name).mkdir(parents=True, exist_ok=True)
    return [
        *_sandbox(),
        "-o",
        f"Dir::State::lists={state / 'lists'}",
        "-o",
        f"Dir::Cache={state / 'cache'}",
        # Hooks of the system (update notifiers) want rights that we do not have.
        "-o",
        "APT::Update::Post-Invoke=",
        "-o",
        "APT::Update::Post-Invoke-Success=",
    ]


def _run(command: list[str], folder: Path, what: str, deadline: _Deadline) -> None:
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=deadline.left(),
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ToolMissingError(
            f"fetching the Debian package {what} took longer than {deadline.seconds:g} s",
            "Check the network, then try again.",
        ) from None
    if done.returncode != 0:
        lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        reasons = [line for line in lines if line.startswith(("E:", "Err", "dpkg"))] or lines
        raise ToolMissingError(
            f"cannot fetch the Debian package {what}: {reasons[0] if reasons else 'no reason'}",
            "Check the network and /etc/apt/sources.list, then try again.",
            tuple(lines[-5:]),
        )
