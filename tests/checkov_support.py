"""Checkov, in its own environment and without a network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]


def checkov_program() -> Path:
    """Checkov, set up when it is not there yet; skips with what prevents it."""
    set_up = [sys.executable, str(ROOT / "scripts" / "bootstrap.py"), "--only", "checkov"]
    done = subprocess.run(set_up, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"checkov cannot be set up: {done.stderr.strip()}")
    return ROOT / ".venv" / "checkov" / "bin" / "checkov"


def checkov_reports(
    program: Path, folder: Path, frameworks: Sequence[str], home: Path, timeout: float = 120
) -> list[dict[str, Any]]:
    """Checkov's report of each framework for what is below `folder`; it found something."""
    options = ["--compact", "--quiet", "--output", "json", "--skip-download"]
    nowhere = "http://127.0.0.1:9"  # it needs no network, and gets none
    done = subprocess.run(
        [str(program), "--directory", str(folder), "--framework", *frameworks, *options],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "LOG_LEVEL": "ERROR",
            "http_proxy": nowhere,
            "https_proxy": nowhere,
        },
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    # 1: it found something. A test always has something for it to find, so that a run that reads
    # nothing does not pass.
    assert done.returncode == 1, done.stdout[-2000:] + done.stderr[-2000:]
    found = json.loads(done.stdout)
    return found if isinstance(found, list) else [found]
