"""Asking a running platform, for several modules of tests."""

from __future__ import annotations

import base64
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from titanium import state
from titanium.supervise import client
from titanium.supervise.protocol import PlatformStatus, Request

if TYPE_CHECKING:
    from ..conftest import Program


def answer(program: Program, path: str = "/api/one") -> tuple[int, float]:
    """Status of the gateway's answer, and its seconds."""
    began = time.monotonic()
    try:
        url = f"http://127.0.0.1:{program.base}{path}"
        with urllib.request.urlopen(url, timeout=10) as found:
            status = found.status
    except urllib.error.HTTPError as error:
        status = error.code
    return status, time.monotonic() - began


def get(port: int, path: str, account: tuple[str, str] | None = None) -> Any:
    """The JSON at a port of the platform; `account` is user and password, where it wants them."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}")
    if account is not None:
        words = base64.b64encode(":".join(account).encode()).decode()
        request.add_header("Authorization", f"Basic {words}")
    with urllib.request.urlopen(request, timeout=5) as found:  # noqa: S310 - our own
        return json.load(found)


def ask(program: Program, request: Request) -> PlatformStatus:
    """What the supervisor answers; a TitaniumError when it refuses."""
    result = client.ask(state.find_home(program.home), request)
    result.raise_failure()
    return PlatformStatus.from_json(result.body)


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)
