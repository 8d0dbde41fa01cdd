"""Debian's chromium, driven by Playwright, and what it says while a page is open."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Whatever a page points to: nothing but this machine can be reached.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)


@contextmanager
def running_chromium() -> Iterator[Any]:
    """A browser; the test is skipped where it or Playwright is missing."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()


def listen(tab: Any) -> list[str]:
    """The errors of a tab, as they come: in its console, and scripts' that nobody caught."""
    errors: list[str] = []

    def hear(said: Any) -> None:
        # Somebody else on this machine made a network interface: chromium gives up what it loads.
        if said.type == "error" and "ERR_NETWORK_CHANGED" not in said.text:
            errors.append(f"{said.text} ({said.location.get('url', '')})")

    tab.on("console", hear)
    tab.on("pageerror", lambda error: errors.append(str(error)))
    return errors
