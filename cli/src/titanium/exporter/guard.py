"""Who may scrape: holders of the scrape token, from this machine's own names."""

from __future__ import annotations

import hmac
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

HEALTH = "/healthz"
# A web page whose name was made to point here comes with its own name.
_HOSTS = ("127.0.0.1", "localhost")


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """RFC 9457: every error of this server has this shape."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    return JSONResponse(
        {**body, "detail": detail}, status, headers, media_type="application/problem+json"
    )


async def on_http_error(request: Request, error: Exception) -> JSONResponse:
    """For Starlette's own 404 and 405."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    return problem(status, f"{request.method} {request.url.path[:200]} is not served", headers)


class Guard:
    """Refuses foreign host names (403) and, but for /healthz, a missing or wrong token (401)."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self._refusal(scope) if scope["type"] == "http" else None
        await (answer or self._app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> JSONResponse | None:
        headers = Headers(scope=scope)
        if headers.get("host", "").rsplit(":", 1)[0] not in _HOSTS:
            return problem(403, "Ask for 127.0.0.1 or localhost; other names are not served.")
        given = headers.get("authorization", "").encode("latin-1")
        if scope["path"] != HEALTH and not hmac.compare_digest(given, self._expected):
            challenge = {"WWW-Authenticate": "Bearer"}
            return problem(401, "Send Authorization: Bearer with the scrape token.", challenge)
        return None
