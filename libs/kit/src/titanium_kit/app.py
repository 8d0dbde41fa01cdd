"""Builds a service's application; nothing happens at import."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import orjson
from fastapi import APIRouter, FastAPI
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from titanium_kit.asgi import BodyLimitMiddleware, RequestMiddleware
from titanium_kit.body import StrictRoute
from titanium_kit.cache import CacheMiddleware, ResponseCache
from titanium_kit.errors import install_error_handlers
from titanium_kit.health import health_router
from titanium_kit.metrics import Metrics
from titanium_kit.problems import problem_responses
from titanium_kit.resources import Resource, running
from titanium_kit.settings import ServiceSettings
from titanium_kit.tracing import Tracer


class FastJSONResponse(JSONResponse):
    """JSON by orjson."""

    def render(self, content: Any) -> bytes:
        return orjson.dumps(content)


class Application(FastAPI):
    """A FastAPI application that may have a layer in front of everything, `front`.

    A cached answer from there costs a third of what it would cost as an ordinary middleware,
    which FastAPI puts behind four layers of its own.
    """

    front: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.front is None:
            await super().__call__(scope, receive, send)
        else:
            await self.front(scope, receive, send)


def api_router(**options: Any) -> APIRouter:
    """A router whose request bodies are read strictly (see `titanium_kit.body`)."""
    return APIRouter(route_class=StrictRoute, **options)


def build_app(
    settings: ServiceSettings,
    metrics: Metrics,
    *,
    title: str,
    routers: Sequence[APIRouter],
    resources: Sequence[Resource],
    cache: ResponseCache | None = None,
) -> FastAPI:
    """An application with errors, health, metrics, traces, limits and cached answers.

    `resources` are started in order with the application and stopped in reverse; without
    `cache` every answer is made anew.
    """
    owned = [*resources, *([cache] if cache else [])]
    tracer = Tracer.from_settings(settings, metrics)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with running([*([tracer] if tracer else []), *owned]):
            yield

    app = Application(
        title=title,
        version="1",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        default_response_class=FastJSONResponse,
        responses=problem_responses(422),
    )
    install_error_handlers(app)
    # FastAPI tries routers in this order; what is asked most comes first.
    for router in (*routers, health_router(owned, metrics)):
        app.include_router(router)
    # The last added is the outermost: request context, then the body limit.
    app.add_middleware(BodyLimitMiddleware, limit=settings.max_body_bytes)
    app.add_middleware(RequestMiddleware, metrics=metrics, tracer=tracer)
    if cache:
        app.front = CacheMiddleware(partial(FastAPI.__call__, app), cache, metrics, tracer)
    return app
