"""From exceptions to problem+json: the one place where errors become HTTP."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from titanium_kit.problems import FieldError, Problem, problem_response
from titanium_kit.routes import allowed_methods

MAX_ERRORS = 50

DETAILS = {
    404: "There is nothing at this address.",
    405: "This address does not take that method; see the Allow header.",
}


async def on_http_exception(request: Request, error: Exception) -> Response:
    """Problems, and what Starlette raises by itself (404, 405, 413)."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type only
    headers = dict(error.headers or {})
    detail = error.detail
    if not isinstance(error, Problem):
        detail = DETAILS.get(error.status_code, detail)
    if error.status_code == 405:
        headers["Allow"] = ", ".join(allowed_methods(request.app.routes, request.scope))
    return problem_response(
        error.status_code,
        detail,
        instance=request.url.path,
        headers=headers,
        errors=error.errors if isinstance(error, Problem) else (),
    )


_PARAMETERS = ("query", "path", "header", "cookie")


def _field_of(location: tuple[Any, ...]) -> str:
    """The wrong member's dotted path; of a parameter its name, which is all that a client knows.

    (What follows there are names of validators, when a parameter's type is a union.)
    """
    parts = [str(part) for part in location]
    if len(parts) > 1 and parts[0] in _PARAMETERS:
        return parts[1]
    if parts and parts[0] == "body":
        parts = parts[1:] or parts
    return ".".join(parts)


def _message_of(item: dict[str, Any]) -> str:
    if isinstance(item.get("input"), str):  # pydantic's words for a length after a validator
        if item["type"] == "too_short":
            return f"must not be shorter than {item['ctx']['min_length']} characters"
        if item["type"] == "too_long":
            return f"must not be longer than {item['ctx']['max_length']} characters"
    message = str(item["msg"])
    return message.removeprefix("Value error, ")


def _is_idle(item: dict[str, Any]) -> bool:
    """Whether the error only says that an optional parameter was not left out."""
    return item["type"] == "none_required" and item["loc"][0] in _PARAMETERS


async def on_validation_error(request: Request, error: Exception) -> Response:
    """422 with each wrong field (the first fifty); the rejected values are not repeated."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this type only
    errors = [
        FieldError(field=_field_of(item["loc"]), message=_message_of(item))
        for item in error.errors()
        if not _is_idle(item)
    ][:MAX_ERRORS]
    detail = "; ".join(f"{item['field']}: {item['message']}" for item in errors[:5])
    return problem_response(422, detail, instance=request.url.path, errors=errors)


def install_error_handlers(app: FastAPI) -> None:
    """Register the handlers on `app`."""
    app.add_exception_handler(HTTPException, on_http_exception)
    app.add_exception_handler(RequestValidationError, on_validation_error)
