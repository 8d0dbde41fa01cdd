"""Fixtures of the kit's tests: settings, small applications, a real Redis."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from fastapi import APIRouter, FastAPI

from libs.kit.tests.token_support import Auth, Clock
from titanium_kit.app import build_app
from titanium_kit.cache import ResponseCache
from titanium_kit.metrics import Metrics
from titanium_kit.settings import ServiceSettings
from titanium_kit.tokens import TokenVerifier


def make_settings(**values: Any) -> ServiceSettings:
    """Settings of a development service called `test`."""
    return ServiceSettings(**{"service": "test", "environment": "development", **values})


@pytest.fixture
def settings() -> Callable[..., ServiceSettings]:
    """A function: settings of a development service called `test`."""
    return make_settings


@pytest.fixture
def make_app() -> Callable[..., FastAPI]:
    """A function: routers -> an application with metrics in `app.state.metrics`."""

    def make(*routers: APIRouter, cached: bool = False, **values: Any) -> FastAPI:
        configured = make_settings(**values)
        metrics = Metrics(configured.service)
        cache = ResponseCache(configured, metrics) if cached else None
        app = build_app(
            configured, metrics, title="test", routers=routers, resources=[], cache=cache
        )
        app.state.metrics = metrics
        app.state.cache = cache
        return app

    return make


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """What a test does to the root logger and to structlog ends with it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


@pytest.fixture
def eventually() -> Callable[..., Any]:
    """A function that waits until a condition holds, and fails after `within` seconds."""

    async def wait(condition: Callable[[], bool], within: float = 5.0) -> float:
        began = time.monotonic()
        while not condition():
            assert time.monotonic() - began < within, "the condition does not come true"
            await asyncio.sleep(0.01)
        return time.monotonic() - began

    return wait


@pytest.fixture
def auth() -> Auth:
    return Auth()


@pytest.fixture
def verify(auth: Auth, settings: Callable[..., ServiceSettings]) -> TokenVerifier:
    return TokenVerifier(settings(), auth)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)
