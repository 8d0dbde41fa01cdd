"""Liveness, readiness and metrics, under /internal: reached by the mesh, never by the public."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from titanium_kit.context import current_request
from titanium_kit.metrics import Metrics
from titanium_kit.problems import MEDIA_TYPE, title_of
from titanium_kit.resources import Resource, check_all


def health_router(resources: Sequence[Resource], metrics: Metrics) -> APIRouter:
    """`GET /internal/livez`, `/internal/readyz` and `/internal/metrics`."""
    router = APIRouter(prefix="/internal", include_in_schema=False)

    @router.get("/livez")
    async def livez() -> dict[str, str]:
        """The process runs its event loop; nothing else is asked."""
        return {"status": "ok"}

    @router.get("/readyz")
    async def readyz() -> Response:
        """200 when every required resource answers; 503 names the ones that do not."""
        ready, checks = await check_all(resources)
        if ready:
            return Response(
                orjson.dumps({"status": "ok", "checks": checks}), media_type="application/json"
            )
        failing = ", ".join(name for name, state in checks.items() if state != "ok")
        body = {
            "type": "about:blank",
            "title": title_of(503),
            "status": 503,
            "detail": f"not ready: {failing}",
            "instance": "/internal/readyz",
            "request_id": current_request.get().request_id,
            "checks": checks,
        }
        return Response(
            orjson.dumps(body), status_code=503, media_type=MEDIA_TYPE, headers={"Retry-After": "1"}
        )

    @router.get("/metrics")
    async def exposition() -> Response:
        return Response(metrics.exposition(), media_type=CONTENT_TYPE_LATEST)

    return router
