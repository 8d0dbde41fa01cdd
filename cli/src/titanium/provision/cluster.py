"""The data folder of PostgreSQL: made once, and freed of what a killed server left."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
from pathlib import Path

from titanium.errors import StateError
from titanium.provision.postgres import SUPERUSER
from titanium.supervise import procfs
from titanium.supervise.process import Process, environment

_GRACE = 1.0


def create_cluster(
    postgres_bin: Path, data: Path, password_file: Path, prefix: tuple[str, ...]
) -> bool:
    """Run initdb unless the data folder exists; True when it was made.

    It is made beside its place and renamed, so that an interrupted run leaves no half.
    StateError carries initdb's last lines.
    """
    if (data / "PG_VERSION").exists():
        _check_version(postgres_bin, data)
        return False
    if data.exists() and any(data.iterdir()):
        raise StateError(
            f"{data} is not empty and holds no database (PG_VERSION is missing)",
            "Restore it from a backup; `titanium reset` starts anew and deletes all data.",
        )
    fresh = data.with_name(f"{data.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    command = [
        *prefix,
        str(postgres_bin / "initdb"),
        f"--pgdata={fresh}",
        f"--username={SUPERUSER}",
        f"--pwfile={password_file}",
        "--encoding=UTF8",
        *_locale(postgres_bin),
        "--auth=scram-sha-256",
        "--data-checksums",
        "--no-instructions",
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment({}), check=False, cwd="/"
    )
    if done.returncode != 0:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        shutil.rmtree(fresh, ignore_errors=True)
        raise StateError(
            f"PostgreSQL could not create its data folder {data}",
            "The lines above say why; free space or correct it, then run titanium up again.",
            tuple(lines[-8:]),
        )
    if data.exists():
        data.rmdir()
    fresh.rename(data)
    return True


def major_version(postgres_bin: Path) -> int:
    """18 for PostgreSQL 18.4; 0 when it does not say."""
    done = subprocess.run(
        [str(postgres_bin / "initdb"), "--version"], capture_output=True, text=True, check=False
    )
    digits = done.stdout.rpartition(")")[2].strip().partition(".")[0].split()
    return int(digits[0]) if digits and digits[0].isdigit() else 0


def _locale(postgres_bin: Path) -> list[str]:
    """C.UTF-8 from PostgreSQL itself (17 and later), which depends on no locale of the system."""
    if major_version(postgres_bin) >= 17:
        return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return ["--locale=C"]


def _check_version(postgres_bin: Path, data: Path) -> None:
    found = (data / "PG_VERSION").read_text("ascii", "replace").strip()
    wanted = major_version(postgres_bin)
    if wanted and found != str(wanted):
        raise StateError(
            f"{data} belongs to PostgreSQL {found or '?'}; this is PostgreSQL {wanted}",
            f"Point TITANIUM_POSTGRES_BIN at PostgreSQL {found}'s programs, or dump and restore.",
        )


async def clear_remains(data: Path, sockets: Path) -> None:
    """End servers and orphaned backends that still use `data`, then remove stale lock files.

    A new server refuses to start while a backend of a killed one lives, or when the pid in
    an old lock file belongs by now to another process.
    """
    if (server := _postmaster(data)) in _users(data):
        await _stop(server, signal.SIGINT, 10.0)
    # Backends notice the death of their server by themselves; a busy one may take its time.
    await asyncio.gather(*(_stop(pid, signal.SIGQUIT, _GRACE) for pid in _users(data)))
    (data / "postmaster.pid").unlink(missing_ok=True)
    for name in (".s.PGSQL.5432", ".s.PGSQL.5432.lock"):
        (sockets / name).unlink(missing_ok=True)


async def _stop(pid: int | None, number: signal.Signals, within: float) -> None:
    ticks = procfs.start_ticks(pid) if pid is not None else None
    process = Process.adopt(pid, ticks) if pid is not None and ticks is not None else None
    if process is not None:
        await process.stop(number, within)


def _users(data: Path) -> list[int]:
    """Live PostgreSQL processes whose working folder is `data` (they all are there)."""
    folder = os.path.realpath(data)
    return [
        pid
        for pid in procfs.pids()
        if procfs.working_folder(pid) == folder
        and procfs.name_of(pid).startswith("postgres")
        and procfs.start_ticks(pid) is not None
    ]


def _postmaster(data: Path) -> int | None:
    try:
        return int((data / "postmaster.pid").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None
