"""`POST /api/login`."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from titanium_auth.http.cookies import set_cookie
from titanium_auth.http.dependencies import ClientAddress, TheSessions
from titanium_auth.http.schemas import GrantAnswer, LoginRequest
from titanium_kit.app import api_router
from titanium_kit.problems import problem_responses


def login_router() -> APIRouter:
    """The route."""
    router = api_router(tags=["sessions"])

    @router.post(
        "/api/login",
        summary="Log in",
        response_model_exclude_none=True,
        responses=problem_responses(400, 401, 413, 415, 422, 429, 503),
    )
    async def login(
        body: LoginRequest,
        request: Request,
        response: Response,
        sessions: TheSessions,
        address: ClientAddress,
    ) -> GrantAnswer:
        """Open a session: an access token, and the refresh token in an HttpOnly cookie.

        401 for an unknown name and a wrong password alike; 429 after 10 failures of one name in
        15 minutes, or 100 of one client address in an hour.
        """
        grant = await sessions.login(body.username, body.password.get_secret_value(), address)
        response.headers["cache-control"] = "no-store"
        response.headers["set-cookie"] = set_cookie(
            request, grant.refresh_token, grant.refresh_seconds
        )
        return GrantAnswer.of(grant, with_refresh_token=body.with_refresh_token)

    return router
