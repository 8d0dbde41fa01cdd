"""Something real breaks; the console shows it on the overview, in the alert, the log and the trace.

One test for each thing that an operator meets at three in the morning.
"""

from __future__ import annotations

import os
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest
import redis

from tests.support import Platform, wait_until
from titanium.layout import Home

pytestmark = pytest.mark.e2e

# From the fault to a firing alert in the console, in seconds.
PROMISED = 60_000


@pytest.fixture(autouse=True)
def repaired(platform: Platform) -> Iterator[None]:
    """Whatever a test broke is whole again for the next one."""
    yield
    platform.titanium("up", "-d")
    wait_until(platform.healthy, 60, "the platform is healthy again")


def ask_traced(platform: Platform, path: str) -> tuple[str, int]:
    """Trace id and status of a GET that asks to be traced."""
    trace_id = secrets.token_hex(16)
    headers = {"traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01"}
    return trace_id, platform.client.get(path, headers=headers).status_code


def read(page: Any, platform: Platform, path: str, *texts: str, within: float = 15_000) -> None:
    """Open a page of the console and wait for each of `texts` in it."""
    page.goto(platform.console_url + path)
    for text in texts:
        page.locator("#content", has_text=text).first.wait_for(timeout=within)


def read_trace(page: Any, platform: Platform, trace_id: str, *texts: str) -> None:
    """The page of a trace, once its spans have arrived."""
    url = f"{platform.console_url}/traces/{trace_id}"

    def shown() -> bool:
        page.goto(url)
        page.wait_for_timeout(500)
        content = page.locator("#content").inner_text()
        return all(text in content for text in texts)

    wait_until(shown, 30, f"a trace with {texts}")


def any_post(platform: Platform) -> Callable[[], str]:
    """Addresses of posts, each once: nothing of them is in a cache."""
    numbers = iter(range(10_000_000, 11_000_000))
    return lambda: f"/api/posts/{next(numbers)}"


def test_postgresql_is_stopped(page: Any, platform: Platform) -> None:
    platform.titanium("stop", "postgres")
    trace_id, status = ask_traced(platform, any_post(platform)())
    assert status == 503
    read(page, platform, "/alerts", "TitaniumPostgresDown", within=PROMISED)
    read(page, platform, "/", "TitaniumPostgresDown", "postgres", "stopped")
    read(page, platform, "/logs?service=blog&level=warning&since=15m", "postgres")
    read_trace(page, platform, trace_id, "blog", "503")


def test_redis_is_slow(page: Any, platform: Platform) -> None:
    """Every command waits: readers are served, and the operator sees why they wait longer."""
    slow = any_post(platform)
    with slowed_redis(platform):
        traced = [ask_traced(platform, f"/api/posts?limit=7&offset={n}") for n in range(3)]
        assert {status for _, status in traced} == {200}
        read(page, platform, "/alerts", "TitaniumRedisDown", within=PROMISED)
        read(page, platform, "/", "TitaniumRedisDown")
        read(page, platform, "/logs?service=blog&level=warning&since=15m", "cache_unavailable")
        assert platform.client.get(slow()).status_code == 404
        trace_id, _ = traced[0]
        read_trace(page, platform, trace_id, "blog", "redis")


@contextmanager
def slowed_redis(platform: Platform) -> Iterator[None]:
    """Redis answers nobody for a second, and again, as one that is overloaded does."""
    home = Home(platform.home)
    password = home.secret("redis", "password").read_text().strip()
    stop = threading.Event()

    def pause() -> None:
        with redis.Redis(
            unix_socket_path=str(home.redis_socket), username="titanium", password=password
        ) as client:
            while not stop.is_set():
                client.execute_command("CLIENT", "PAUSE", "1500", "ALL")  # type: ignore[no-untyped-call]
                stop.wait(1.4)

    thread = threading.Thread(target=pause)
    thread.start()
    time.sleep(0.2)
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=10)


def test_blog_is_killed(page: Any, platform: Platform) -> None:
    """Once it is back by itself, and once more it stays away."""
    os.kill(platform.processes()["blog-0"]["pid"], signal.SIGKILL)
    read(page, platform, "/alerts", "TitaniumProcessRestarted", within=PROMISED)
    read(page, platform, "/logs?service=supervisor&text=SIGKILL&since=15m", "blog-0")
    wait_until(platform.healthy, 30, "the supervisor restarted it")
    platform.titanium("stop", "blog")
    trace_id, status = ask_traced(platform, any_post(platform)())
    assert status == 503
    read(page, platform, "/alerts", "TitaniumServiceDown", within=PROMISED)
    read(page, platform, "/", "TitaniumServiceDown", "blog-0", "stopped")
    read(page, platform, "/logs?service=blog&level=warning&since=15m", "503")
    read_trace(page, platform, trace_id, "gateway", "503")


def test_the_platform_serves_while_its_console_is_away(platform: Platform) -> None:
    """What watches may die: readers notice nothing."""
    for name in ("console", "prometheus", "exporter", "alertmanager"):
        os.kill(platform.processes()[name]["pid"], signal.SIGKILL)
    with httpx2.Client(base_url=platform.url, trust_env=False) as client:
        assert {client.get("/api/posts").status_code for _ in range(20)} == {200}
