"""The machine and the versions that a report names; nothing that tells whose machine it is."""

from __future__ import annotations

import platform
import re
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from titanium.bench.hashing import cores
from titanium.bench.wrk import Wrk
from titanium.errors import ToolMissingError
from titanium.tools import Tools, find_prometheus

_PACKAGES = ("uvicorn", "fastapi", "asyncpg")
_VERSION = re.compile(r"\d+\.\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Machine:
    """`cores` that the run could use, the processor's name, bytes of memory, and versions."""

    cores: int
    processor: str
    memory: int
    kernel: str
    versions: tuple[tuple[str, str], ...]


def describe(tools: Tools, wrk: Wrk) -> Machine:
    """This machine, with the programs that take part."""
    programs = {
        "Envoy": tools.envoy,
        "PostgreSQL": tools.postgres_bin / "postgres",
        _cache_server(tools.redis_server): tools.redis_server,
    }
    with suppress(ToolMissingError):
        programs["Prometheus"] = find_prometheus().prometheus
    versions = [("Python", platform.python_version())]
    versions += [(name, program_version(path)) for name, path in programs.items()]
    versions += [(name, found) for name in _PACKAGES if (found := _package(name))]
    versions.append(("wrk", wrk.version()))
    return Machine(
        cores=cores(),
        processor=processor(Path("/proc/cpuinfo").read_text("utf-8", "replace")),
        memory=psutil.virtual_memory().total,
        kernel=f"{platform.system()} {platform.release().partition('-')[0]}",
        versions=tuple(versions),
    )


def _cache_server(program: Path) -> str:
    """The packaged one is Valkey, which speaks Redis's protocol."""
    return "Valkey" if "valkey" in str(program) else "Redis"


def processor(cpuinfo: str) -> str:
    """The model name in the text of /proc/cpuinfo."""
    for line in cpuinfo.splitlines():
        key, _, value = line.partition(":")
        if key.strip().lower() in ("model name", "hardware", "cpu model"):
            return value.strip()
    return f"unknown ({platform.machine()})"


def program_version(program: Path) -> str:
    """The first version number that `program --version` prints."""
    try:
        done = subprocess.run(
            [str(program), "--version"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    # Envoy writes its commit first, with slashes between the parts; Prometheus tells Go's version,
    # too, further down.
    first = next((line for line in done.stdout.splitlines() if line.strip()), "")
    found = _VERSION.search(first.rpartition("version")[2])
    return found.group() if found else "unknown"


def _package(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
