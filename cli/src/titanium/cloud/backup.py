"""Dumps of every database, taken in the database's own pod, with checksums."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from titanium.catalog import Catalog
from titanium.cloud.kubectl import Kubectl, KubectlError, Say
from titanium.errors import StateError, TitaniumError

MANIFEST = "backup.json"
CONTAINER = "postgres"
# In the pod: its own files and variables give the password, so that no argument and no output
# holds it. CloudNativePG's pods have neither and let the operating system's user in.
CONNECT = (
    'if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then '
    'export PGHOST=127.0.0.1 PGUSER="$POSTGRES_USER"; '
    'PGPASSWORD="$(cat "$POSTGRES_PASSWORD_FILE")"; export PGPASSWORD; '
    'fi; exec "$@"'
)
_SELECTORS = ("cnpg.io/instanceRole=primary", "app.kubernetes.io/name=postgres")


@dataclass(frozen=True, slots=True)
class Dump:
    """One database's file in a backup, relative to the backup's folder."""

    database: str
    file: str
    sha256: str
    bytes: int


def databases(catalog: Catalog) -> dict[str, str]:
    """Database -> the service that owns it."""
    return {service.needs.postgres: service.name for service in catalog if service.needs.postgres}


def primary(kubectl: Kubectl) -> str:
    """The pod whose PostgreSQL takes writes. TitaniumError when it is outside of the cluster."""
    for selector in _SELECTORS:
        pods = kubectl.items(
            "get", "pods", "--selector", selector, "--field-selector", "status.phase=Running"
        )
        if pods:
            return str(pods[0]["metadata"]["name"])
    raise TitaniumError(
        f"no PostgreSQL runs in the namespace {kubectl.namespace}",
        "A database outside of the cluster is saved there (Patroni: its base backups and WAL "
        "archive).",
    )


def inside(pod: str, *command: str, stdin: bool = False) -> list[str]:
    """kubectl's arguments that run a client program in the database's pod."""
    interactive = ["--stdin"] if stdin else []
    return ["exec", *interactive, pod, "--container", CONTAINER, "--",
            "sh", "-c", CONNECT, "sh", *command]  # fmt: skip


def backup(kubectl: Kubectl, catalog: Catalog, folder: Path, now: datetime, say: Say) -> Path:
    """Dump every database into a new folder below `folder`; the new folder.

    A dump that fails leaves no folder that looks complete: the manifest is written last.
    """
    pod = primary(kubectl)
    target = folder / f"titanium-{now.strftime('%Y%m%dT%H%M%SZ')}"
    try:
        target.mkdir(mode=0o700, parents=True)
    except OSError as error:
        raise StateError(
            f"cannot make {target}: {error.strerror}", "Name another folder with --to."
        ) from None
    dumps = [_dump(kubectl, pod, database, target, say) for database in sorted(databases(catalog))]
    manifest = {
        "version": 1,
        "taken_at": now.isoformat(),
        "namespace": kubectl.namespace,
        "pod": pod,
        "dumps": [{key: getattr(one, key) for key in Dump.__slots__} for one in dumps],
    }
    _write(target / MANIFEST, json.dumps(manifest, indent=2) + "\n")
    return target


def load(folder: Path) -> list[Dump]:
    """The dumps of a backup, each compared with its checksum. StateError names what is wrong."""
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text("utf-8"))
        dumps = [Dump(**one) for one in manifest["dumps"]]
    except (OSError, ValueError, KeyError, TypeError):
        raise StateError(
            f"{folder} is not a complete backup: {MANIFEST} is missing or damaged",
            "Name a folder that titanium cloud backup wrote to its end.",
        ) from None
    for dump in dumps:
        path = folder / dump.file
        if not path.is_file() or checksum(path) != dump.sha256:
            raise StateError(
                f"{path} is not what was saved: its checksum differs, or it is missing",
                "Take another backup; nothing was changed.",
            )
    return dumps


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _dump(kubectl: Kubectl, pod: str, database: str, folder: Path, say: Say) -> Dump:
    path = folder / f"{database}.dump"
    arguments = inside(pod, "pg_dump", "--format=custom", f"--dbname={database}")
    with path.open("xb") as file:
        path.chmod(0o600)
        try:
            kubectl.copy(*arguments, stdout=file)
        except KubectlError as error:
            raise TitaniumError(
                f"{database} was not saved: {error.message}",
                f"{folder} is incomplete: delete it.",
                error.details,
            ) from None
    size = path.stat().st_size
    say(f"  {database:<10} {size / 1024:.0f} KiB")
    return Dump(database, path.name, checksum(path), size)


def _write(path: Path, text: str) -> None:
    from titanium.files import write_atomically

    write_atomically(path, text, 0o600, durable=True)
