"""Secrets of a small cluster, as files that Kustomize's secretGenerator reads.

One folder a Secret, one file a key. What exists is kept: the database and its volume know it.
"""

from __future__ import annotations

from pathlib import Path

from titanium.catalog import Catalog
from titanium.errors import StateError
from titanium.files import write_if_changed
from titanium.provision import redis
from titanium.provision.secret_files import secret


def write_secrets(catalog: Catalog, folder: Path) -> list[Path]:
    """Make every secret that is missing and derive the rest; the files, sorted.

    StateError when the folder cannot be written.
    """
    try:
        return sorted(_write(catalog, folder))
    except OSError as error:
        raise StateError(
            f"cannot write {error.filename or folder}: {error.strerror}",
            "Correct the folder's permissions, or name another folder.",
        ) from None


def _write(catalog: Catalog, folder: Path) -> list[Path]:
    files: dict[Path, str] = {}

    def own(name: str, key: str) -> str:
        path = folder / name / key
        files[path] = value = secret(path)
        return value

    def derived(name: str, key: str, value: str) -> None:
        path = folder / name / key
        write_if_changed(path, value)
        files[path] = value

    passwords: dict[str, str] = {}
    own("postgres-secrets", "password")
    own("postgres-secrets", "titanium_monitor")
    for service in catalog:
        runtime = f"{service.name}-secrets"
        own(runtime, "key_encryption_key")
        if service.needs.redis:
            passwords[service.name] = own(runtime, "redis_password")
        if database := service.needs.postgres:
            derived("postgres-secrets", database, own(runtime, "database_password"))
            owner = own(f"{service.name}-migration", "database_owner_password")
            derived("postgres-secrets", f"{database}_owner", owner)
    admin = own("redis-admin", "password")
    monitor = own("redis-monitor", "password")
    derived("redis-secrets", "users.acl", redis.users(passwords, admin, monitor))
    return list(files)
