"""A browser (Debian's chromium, driven by Playwright) before the console of a running platform."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.browser.chromium import listen, running_chromium
from tests.support import ROOT, Platform, running_platform, wait_until

VISITS = ("/blog/", "/api/posts", "/api/categories", "/api/posts?q=bread", "/api/posts/999999")


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    """One chromium for all, also in `blog/`."""
    with running_chromium() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def platform(browser: Any) -> Iterator[Platform]:
    """A platform with all that observes it, gently used, and measured already."""
    stop = threading.Event()
    with running_platform(observability=True) as running:
        if "prometheus" not in running.processes():
            pytest.skip("prometheus is not there: titanium tools says how to get it")

        def use() -> None:
            with httpx2.Client(base_url=running.url, timeout=10, trust_env=False) as client:
                number = 0
                while not stop.wait(0.1):
                    number += 1
                    try:
                        client.get(VISITS[number % len(VISITS)])
                    except httpx2.HTTPError:
                        continue

        user = threading.Thread(target=use)
        user.start()
        try:
            wait_until(lambda: bool(_traffic(running)), 90, "the traffic is measured")
            yield running
        finally:
            stop.set()
            user.join()


def _traffic(platform: Platform) -> list[Any]:
    query = 'service_pair:http_requests:rate1m{source="gateway",destination="blog"} > 0'
    try:
        answer = httpx2.get(
            f"{platform.prometheus_url}/api/v1/query",
            params={"query": query},
            auth=platform.prometheus_account,
            trust_env=False,
        )
    except httpx2.HTTPError:
        return []
    found: list[Any] = answer.json()["data"]["result"]
    return found


@pytest.fixture
def page(browser: Any, platform: Platform) -> Iterator[Any]:
    """A logged-in tab of 1280 pixels; a test fails for every error in the browser's console."""
    context = browser.new_context(viewport={"width": 1280, "height": 860}, color_scheme="light")
    context.set_default_timeout(10_000)
    tab = context.new_page()
    errors = listen(tab)
    token = (platform.home / "secrets/console/token").read_text().strip()
    tab.goto(f"{platform.console_url}/login?token={token}")
    yield tab
    context.close()
    assert errors == []


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: docs/img with TITANIUM_SCREENSHOTS=1, else a temporary folder."""
    if os.environ.get("TITANIUM_SCREENSHOTS") == "1":
        return ROOT / "docs/img"
    return tmp_path_factory.mktemp("pictures")
