"""Answers that depend on more than their address, and tags that are known after reading."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi import FastAPI, Request
from starlette.types import Scope

from titanium_kit.app import api_router, build_app
from titanium_kit.cache import Entry, ResponseCache
from titanium_kit.metrics import Metrics
from titanium_kit.settings import ServiceSettings
from titanium_kit.testing import serving

pytestmark = pytest.mark.unit


def language(scope: Scope) -> bytes:
    """Pages differ by a header; the API does not."""
    if not scope["path"].startswith("/pages/"):
        return b""
    return b"\n" + dict(scope["headers"]).get(b"accept-language", b"en")


@pytest.fixture
def app(settings: Callable[..., ServiceSettings]) -> FastAPI:
    """Counts how often each answer is built."""
    configured = settings()
    metrics = Metrics("test")
    cache = ResponseCache(configured, metrics, language)
    router = api_router()
    built: list[str] = []

    async def show(request: Request, name: str) -> object:
        found: list[str] = []

        async def build() -> Entry:
            built.append(request.url.path)
            found.append(f"neighbour-of:{name}")
            wanted = request.headers.get("accept-language", "en")
            return Entry.of(f"{name} {wanted}".encode(), "text/plain")

        return await cache.respond(request.scope, (f"own:{name}",), build, found=found)

    for path in ("/pages/{name}", "/api/{name}"):
        router.add_api_route(path, show, methods=["GET"], response_model=None)
    made = build_app(configured, metrics, title="test", routers=[router], resources=[], cache=cache)
    made.state.built, made.state.cache = built, cache
    return made


async def test_each_variant_has_its_own_entry(app: FastAPI) -> None:
    async with serving(app) as client:
        for _ in range(2):
            for wanted in ("ko", "en"):
                page = await client.get("/pages/x", headers={"accept-language": wanted})
                assert page.text == f"x {wanted}"
        assert app.state.built == ["/pages/x"] * 2
        assert app.state.cache.hits == 2


async def test_what_has_no_variant_is_one_entry(app: FastAPI) -> None:
    async with serving(app) as client:
        for wanted in ("ko", "en"):
            await client.get("/api/x", headers={"accept-language": wanted})
        assert app.state.built == ["/api/x"]


async def test_a_tag_that_the_build_found_takes_the_entry(app: FastAPI) -> None:
    async with serving(app) as client:
        for count, tag in enumerate(("own:x", "neighbour-of:x", "other"), start=2):
            await client.get("/pages/x")
            await app.state.cache.invalidate(tag)
            await client.get("/pages/x")
            assert len(app.state.built) == min(count, 3), tag


async def test_an_address_cannot_name_a_variant(app: FastAPI) -> None:
    """The key's line feed never stands in a path or a query as sent."""
    async with serving(app) as client:
        await client.get("/pages/x", headers={"accept-language": "ko"})
        page = await client.get("/pages/x%0Ako")
        assert page.text == "x\nko en"
