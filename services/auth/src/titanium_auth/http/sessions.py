"""`/api/auth/...`: refresh, logout, verify."""

from __future__ import annotations

import time

from fastapi import APIRouter, Request, Response

from titanium_auth.domain.errors import SessionEndedError
from titanium_auth.http.cookies import own_cookie, set_cookie
from titanium_auth.http.dependencies import Arrived, BearerSession, Settings, TheSessions
from titanium_auth.http.errors import CHALLENGE
from titanium_auth.http.schemas import GrantAnswer, RefreshTokenRequest, VerifyAnswer
from titanium_kit.app import api_router
from titanium_kit.problems import Problem, Unauthorized, problem_responses
from titanium_kit.tokens import CurrentUser

NOTHING = "Send a refresh token: the cookie, or the member refresh_token."


def session_router() -> APIRouter:
    """The routes."""
    router = api_router(prefix="/api/auth", tags=["sessions"])

    @router.post(
        "/refresh",
        summary="Exchange the refresh token",
        response_model_exclude_none=True,
        responses=problem_responses(400, 401, 403, 409, 413, 415, 422, 429, 503),
    )
    async def refresh(
        arrived: Arrived,
        request: Request,
        response: Response,
        sessions: TheSessions,
        settings: Settings,
        body: RefreshTokenRequest | None = None,
    ) -> GrantAnswer:
        """A new access token and the refresh token's successor.

        The refresh token comes from the cookie or, which goes first, from the body; then the
        answer's body has the successor as well. A token works once: using it again ends the
        session (401). While one request exchanges it, others get 409: use the new token that
        the first one was given.
        """
        by_body = body.refresh_token if body else None
        token = by_body or own_cookie(request, settings.public_url)
        if not token:
            raise Unauthorized(NOTHING)
        try:
            grant = await sessions.refresh(token, arrived)
        except SessionEndedError as error:
            forget = {} if by_body else {"Set-Cookie": set_cookie(request, "", 0)}
            raise Problem(401, str(error), headers={**CHALLENGE, **forget}) from None
        response.headers["cache-control"] = "no-store"
        response.headers["set-cookie"] = set_cookie(
            request, grant.refresh_token, grant.refresh_seconds
        )
        return GrantAnswer.of(grant, with_refresh_token=by_body is not None)

    @router.post(
        "/logout",
        status_code=204,
        response_class=Response,
        summary="End the session",
        responses=problem_responses(400, 401, 403, 413, 415, 422, 429, 503),
        openapi_extra={"security": [{}]},  # besides the bearer: a refresh token is enough
    )
    async def logout(
        request: Request,
        response: Response,
        sessions: TheSessions,
        settings: Settings,
        bearer: BearerSession,
        body: RefreshTokenRequest | None = None,
    ) -> None:
        """End the session of the access token, the refresh token in the body, or the cookie.

        All its tokens stop working everywhere within a second. Doing it twice does no harm.
        """
        token = (body.refresh_token if body else None) or own_cookie(request, settings.public_url)
        genuine = bearer is not None
        if bearer is not None:
            await sessions.logout(bearer)
        if token:
            genuine = await sessions.logout_by_refresh_token(token) or genuine
        if not genuine:
            raise Unauthorized("Send an access token or a refresh token of the session to end.")
        response.headers["set-cookie"] = set_cookie(request, "", 0)

    async def verify(user: CurrentUser, response: Response) -> VerifyAnswer:
        """Whom the access token speaks for; 401 when it is not valid (any more)."""
        response.headers["cache-control"] = "no-store"
        return VerifyAnswer(
            sub=str(user.user_id),
            user_id=user.user_id,
            username=user.username,
            sid=user.session_id,
            exp=int(user.expires),
            expires_in=max(0, int(user.expires - time.time())),
        )

    router.add_api_route(
        "/verify",
        verify,
        methods=["GET"],
        summary="Check an access token",
        responses=problem_responses(401, 429, 503),
    )
    router.add_api_route("/verify", verify, methods=["HEAD"], include_in_schema=False)
    return router
