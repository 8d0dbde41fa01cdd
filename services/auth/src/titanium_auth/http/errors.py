"""From refusals to HTTP."""

from __future__ import annotations

from fastapi import FastAPI, Request
from starlette.responses import Response

from titanium_auth.domain.errors import (
    AuthError,
    ConcurrentRefreshError,
    ThrottledError,
)
from titanium_kit.problems import problem_response

CHALLENGE = {"WWW-Authenticate": "Bearer"}


async def on_refusal(request: Request, error: Exception) -> Response:
    """401 with a challenge; 409 for a concurrent refresh and 429, both with Retry-After."""
    status, headers = 401, CHALLENGE
    if isinstance(error, ThrottledError):
        status, headers = 429, {"Retry-After": str(error.retry_after)}
    elif isinstance(error, ConcurrentRefreshError):
        status, headers = 409, {"Retry-After": "1"}
    return problem_response(status, str(error), instance=request.url.path, headers=headers)


def install_refusals(app: FastAPI) -> None:
    """Register the handler on `app`."""
    app.add_exception_handler(AuthError, on_refusal)
