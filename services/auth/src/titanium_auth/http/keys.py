"""`GET /.well-known/jwks.json`."""

from __future__ import annotations

from fastapi import APIRouter, Response

from titanium_auth.http.dependencies import Ring
from titanium_auth.http.schemas import JsonWebKeySet
from titanium_kit.app import api_router
from titanium_kit.cache.responses import EntryResponse
from titanium_kit.problems import problem_responses


def keys_router() -> APIRouter:
    """The route."""
    router = api_router(prefix="/.well-known", tags=["keys"])

    async def jwks(ring: Ring) -> Response:
        """The public keys of access tokens. Honours If-None-Match."""
        return EntryResponse(ring.jwks_entry)

    router.add_api_route(
        "/jwks.json",
        jwks,
        methods=["GET"],
        summary="Signing keys",
        response_model=None,
        responses={
            200: {"model": JsonWebKeySet},
            304: {"description": "Not modified"},
            **problem_responses(429, 503),
        },
    )
    router.add_api_route(
        "/jwks.json", jwks, methods=["HEAD"], response_model=None, include_in_schema=False
    )
    return router
