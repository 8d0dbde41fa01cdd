"""Writes what proxies read, and says how a proxy is started."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from titanium.errors import StateError
from titanium.files import write_atomically

DRAIN_SECONDS = 5


def write_private(path: Path, content: bytes) -> None:
    """Replace `path` in one step with a file that only its owner can read (0600).

    A reader sees the old content or the new, never a part; Envoy notices the rename.
    Raises StateError when the folder cannot be written.
    """
    try:
        _private_folder(path.parent)
        write_atomically(path, content.decode(), durable=True)
    except OSError as error:
        raise StateError(
            f"{path}: cannot be written: {error.strerror}",
            "check the free space and the permissions of the state folder",
        ) from error


def _private_folder(folder: Path) -> None:
    """Create `folder` and what is missing above it, for its owner only."""
    if not folder.is_dir():
        _private_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def write_document(path: Path, document: Mapping[str, object]) -> None:
    """Write a rendered configuration as JSON, in one step, 0600."""
    write_private(path, (json.dumps(document, indent=1) + "\n").encode())


def gateway_concurrency(cores: int | None = None) -> int:
    """Worker threads of the gateway: half the cores, because the apps behind it need the rest."""
    return max(1, (cores or os.cpu_count() or 1) // 2)


def envoy_arguments(
    envoy: Path, bootstrap: Path, name: str, *, concurrency: int = 1, level: str = "warning"
) -> list[str]:
    """Command line of one proxy; `name` appears in its log lines (JSON, on standard error)."""
    line = {"ts": "%Y-%m-%dT%T.%eZ", "level": "%l", "service": name, "logger": "%n", "event": "%j"}
    return [
        str(envoy),
        "--config-path",
        str(bootstrap),
        "--concurrency",
        str(concurrency),
        # Several proxies share the machine, and none hands over to a successor: no shared memory.
        "--disable-hot-restart",
        "--log-level",
        level,
        "--log-format",
        json.dumps(line),
        "--file-flush-interval-msec",
        "1000",
        "--drain-time-s",
        str(DRAIN_SECONDS),
    ]
