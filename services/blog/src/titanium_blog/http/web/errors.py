"""Problems as pages for people, in their language, with the number that support will ask for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import ParamSpec, cast

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from titanium_blog.domain.errors import BlogError
from titanium_blog.http.errors import STATUSES
from titanium_blog.http.web.language import VARY
from titanium_blog.http.web.rendering import HTML, page
from titanium_kit.context import current_request
from titanium_kit.logs import get_logger

logger = get_logger(__name__)

P = ParamSpec("P")


def _kind(status: int) -> str:
    """Which of the catalog's texts tells about it."""
    if status in (404, 503):
        return str(status)
    return "400" if status < 500 else "500"


def error_page(request: Request, status: int, headers: dict[str, str] | None = None) -> Response:
    """A page that says what happened and where to go."""
    body = page(
        request,
        "error.html",
        status=status,
        kind=_kind(status),
        request_id=current_request.get().request_id,
    )
    always = {"Cache-Control": "no-store", "Vary": VARY}
    return Response(body, status, {**always, **(headers or {})}, HTML)


def errors_as_pages(handler: Callable[P, Awaitable[Response]]) -> Callable[P, Awaitable[Response]]:
    """A handler (with a parameter `request`) whose problems are pages.

    An unexpected error's traceback goes to the log.
    """

    @wraps(handler)
    async def wrapped(*args: P.args, **kwargs: P.kwargs) -> Response:
        request = cast("Request", kwargs["request"])
        try:
            return await handler(*args, **kwargs)
        except BlogError as error:
            return error_page(request, STATUSES[type(error)])
        except HTTPException as error:
            return error_page(request, error.status_code, dict(error.headers or {}))
        except Exception:
            path = request.scope["path"]
            logger.exception("unexpected_error", method=request.method, path=path)
            return error_page(request, 500)

    return wrapped
