"""A console for the tests that only ask."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.tests.console.support import Console, start_console


@pytest.fixture(scope="module")
def console() -> Iterator[Console]:
    """One console for all tests of a module; they leave it as it was."""
    with tempfile.TemporaryDirectory(prefix="ti-co-") as folder:
        running = start_console(Path(folder) / "home")
        try:
            yield running
        finally:
            running.stop()
