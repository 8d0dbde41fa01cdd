"""From the blog's errors to problems."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from titanium_blog.domain import errors
from titanium_kit.problems import problem_response

STATUSES: dict[type[errors.BlogError], int] = {
    errors.PostNotFoundError: 404,
    errors.CategoryNotFoundError: 404,
    errors.NotTheAuthorError: 403,
    errors.AuthorRemovedError: 403,
    errors.StaleVersionError: 412,
    errors.KeyReusedError: 422,
    errors.TooComplexError: 422,
    errors.ContendedError: 503,
}


async def on_blog_error(request: Request, error: Exception) -> Response:
    """The problem for a `BlogError`."""
    status = STATUSES[type(error)]  # type: ignore[index]
    headers = {"Retry-After": "1"} if status == 503 else {}
    return problem_response(status, str(error), instance=request.scope["path"], headers=headers)


def install_blog_errors(app: FastAPI) -> None:
    """Register the handler on `app`."""
    app.add_exception_handler(errors.BlogError, on_blog_error)
