"""A new service: checks its name, renders its folder, checks the catalog with it."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from titanium.catalog import GATEWAY_PATHS, RESERVED_NAMES, Catalog, Match, load_catalog
from titanium.errors import TitaniumError, UsageError
from titanium.scaffold.kubernetes import kubernetes_files
from titanium.scaffold.render import render_tree

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
SHORTEST, LONGEST = 2, 24
# Parts of the platform, of its addresses, or of PostgreSQL: a process, a folder of secrets, a
# database or a role has that name already.
_PARTS = {"configuration", "provision", "demo", *RESERVED_NAMES}
_ADDRESSES = {"internal", "api", "health", "blog"}
_DATABASES = {"titanium", "public", "template0", "template1", "none"}
RESERVED = _PARTS | _ADDRESSES | _DATABASES | {"kit", "test", "tests"}


def check_name(name: str) -> None:
    """UsageError, with what to do, unless a service may have that name."""
    if not NAME.fullmatch(name) or not SHORTEST <= len(name) <= LONGEST:
        raise UsageError(
            f"{name[:60]!r} cannot be the name of a service",
            f"Use {SHORTEST} to {LONGEST} lower-case letters and digits, beginning with a letter, "
            "words joined by single hyphens: order-history.",
        )
    if name in RESERVED or name.startswith("pg-"):
        raise UsageError(f"the name {name} is reserved", "Choose another one.")
    last = name.rpartition("-")[2]
    if "-" in name and (last.isdigit() or last in ("owner", "sidecar", "admin")):
        raise UsageError(
            f"{name} could be mistaken for a part of another service (-{last})",
            "Choose a name with another ending.",
        )


def new_service(root: Path, name: str) -> Path:
    """Create `services/<name>` in the checkout `root`, and what a cluster needs for it.

    Returns the folder. Besides new files, lists in `k8s-manifests` that name every service gain
    a line. UsageError for a wrong, reserved or used name and for an address that another service
    has; nothing is left behind on failure.
    """
    check_name(name)
    catalog = load_catalog(root)
    folder = root / "services" / name
    if folder.exists():
        raise UsageError(
            f"{folder} exists already", "Choose another name, or remove that folder first."
        )
    _check_address(catalog, f"/api/{name}")
    variables = {
        "name": name,
        "package": f"titanium_{name.replace('-', '_')}",
        "database": name.replace("-", "_"),
        "title": name.replace("-", " ").capitalize(),
    }
    # Before anything is written: a list that it does not find stops it.
    for_kubernetes = kubernetes_files(root, variables)
    _write(folder, render_tree("service", variables))
    try:
        load_catalog(root)
        _write_each(for_kubernetes)
    except TitaniumError:
        shutil.rmtree(folder)
        raise
    return folder


def _check_address(catalog: Catalog, address: str) -> None:
    ours = Match(address, exact=False)
    if any(ours.covers(path) or path == address for path in GATEWAY_PATHS):
        raise UsageError(f"{address} is answered by the gateway itself", "Choose another name.")
    for service in catalog:
        for route in service.routes:
            if ours.covers(route.match.path) or route.match.covers(address):
                raise UsageError(
                    f"{address} belongs to the service {service.name} ({route.match.path})",
                    "Choose another name.",
                )


def _write(folder: Path, contents: dict[str, str]) -> None:
    """All files or none: written beside the place and renamed."""
    fresh = folder.with_name(f".{folder.name}.new")
    try:
        shutil.rmtree(fresh, ignore_errors=True)
        for path, text in contents.items():
            target = fresh / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, "utf-8")
        fresh.rename(folder)
    except OSError as error:
        shutil.rmtree(fresh, ignore_errors=True)
        raise _unwritable(folder, error) from None


def _write_each(contents: Mapping[Path, str]) -> None:
    """All files or none: what was there comes back when one cannot be written."""
    before = {path: path.read_text("utf-8") if path.exists() else None for path in contents}
    try:
        for path, text in contents.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    except OSError as error:
        with contextlib.suppress(OSError):
            for path, old in before.items():
                if old is None:
                    path.unlink(missing_ok=True)
                else:
                    path.write_text(old, "utf-8")
        raise _unwritable(Path(error.filename or path), error) from None


def _unwritable(path: Path, error: OSError) -> TitaniumError:
    return TitaniumError(
        f"{path} cannot be written: {error.strerror}",
        "Free space, or correct the folder's permissions.",
    )
