"""What images are built of, without a registry of images: a base from Debian packages, and the
wheels of the locks behind a small server, so that no build knows how this machine gets them."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from packaging.markers import Marker

from tests.images.builder import UnavailableError
from tests.support import ROOT

_SECONDS = 300
_PACKAGES = "python3,python3-pip"


def debian_base(archive: Path) -> Path:
    """Write a minimal Debian with Python and pip to `archive`, from this system's apt sources."""
    program = shutil.which("mmdebstrap")
    if program is None:
        raise UnavailableError("no mmdebstrap to make a base image with (apt install mmdebstrap)")
    suite, sources = _suite(), _sources()
    command = [program, "--quiet", "--variant=minbase", f"--include={_PACKAGES}", suite]
    done = _run([*command, str(archive), *map(str, sources)])
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no reason"])[-1]
        raise UnavailableError(f"mmdebstrap made no base image: {last}")
    return archive


def with_program(archive: Path, program: Path, path: str) -> Path:
    """A copy of a base that has `program` at `path`."""
    copy = archive.with_name(f"{program.name}-{archive.name}")
    shutil.copyfile(archive, copy)
    with tarfile.open(copy, "a") as files:
        files.add(program, f"./{path.lstrip('/')}")
    return copy


def fetch_wheels(services: tuple[str, ...], archive: Path, folder: Path) -> None:
    """Download what the locks of `services` name for the Python in `archive`, hashes checked."""
    version = _python_version(archive)
    for service in services:
        lock = folder / f"{service}.txt"
        lock.write_text(
            _for_python((ROOT / "requirements" / f"{service}.txt").read_text(), version)
        )
        options = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--quiet"]
        python = ["--python-version", ".".join(version.split(".")[:2]), "--implementation", "cp"]
        platforms = ["manylinux2014", "manylinux_2_17", "manylinux_2_28"]
        fitting = [part for name in platforms for part in ("--platform", f"{name}_{_machine()}")]
        where = ["--requirement", str(lock), "--dest", str(folder)]
        done = _run([*_pip(), "download", *options, *python, *fitting, *where])
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["no reason"])[-1]
            raise UnavailableError(f"pip cannot fetch the wheels of {service}: {last}")


@contextmanager
def served(folder: Path) -> Iterator[Path]:
    """A pip.conf that names `folder` as the only place of packages, by http on this machine."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own name
            pass

    handler = functools.partial(Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            conf = folder / "pip.conf"
            address = f"http://127.0.0.1:{server.server_port}/"
            conf.write_text(f"[install]\nno-index = true\nfind-links = {address}\n")
            yield conf
        finally:
            server.shutdown()
            thread.join()


def _for_python(lock: str, version: str) -> str:
    """The lock's entries that apply to `version`, without their conditions.

    pip asks the conditions of the Python that it runs on, and that may be another one.
    """
    there = {"python_full_version": version, "python_version": ".".join(version.split(".")[:2])}
    kept = []
    for entry in re.split(r"(?m)^(?=\S)", lock):
        head, condition, rest = re.match(r"([^;\\]*)(?:; ([^\\]*))?(.*)", entry, re.DOTALL).groups()  # type: ignore[union-attr]
        if condition is None or Marker(condition.strip()).evaluate(there):
            kept.append(head + rest)
    return "".join(kept)


def _python_version(archive: Path) -> str:
    """Of Debian's python3: the full version, from the packages' list in the archive."""
    with tarfile.open(archive) as files:
        status = files.extractfile("./var/lib/dpkg/status")
        assert status is not None
        text = status.read().decode()
    found = re.search(r"(?m)^Package: python3\.\d+-minimal\n(?:.+\n)*?Version: ([0-9.]+)", text)
    assert found is not None, "the base has no Python"
    return found[1]


def _suite() -> str:
    release = Path("/etc/os-release")
    text = release.read_text() if release.is_file() else ""
    found = re.search(r"(?m)^VERSION_CODENAME=(\w+)", text)
    if found is None or not re.search(r"(?m)^ID=debian$", text):
        raise UnavailableError("a base image is made from Debian packages, and this is not Debian")
    return found[1]


def _sources() -> list[Path]:
    """This system's own files of sources that have Debian's packages."""
    folder = Path("/etc/apt")
    files = [folder / "sources.list", *sorted((folder / "sources.list.d").glob("debian*"))]
    return [one for one in files if one.suffix in (".list", ".sources") and one.is_file()]


def _machine() -> str:
    return subprocess.run(
        ["uname", "-m"], capture_output=True, text=True, check=True
    ).stdout.strip()


def _pip() -> list[str]:
    for python in (getattr(sys, "_base_executable", ""), "python3"):
        if python and _run([python, "-m", "pip", "--version"]).returncode == 0:
            return [python, "-m", "pip", "--disable-pip-version-check"]
    raise UnavailableError("no Python with pip to fetch wheels with")


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, capture_output=True, text=True, timeout=_SECONDS, check=False, cwd="/"
    )
