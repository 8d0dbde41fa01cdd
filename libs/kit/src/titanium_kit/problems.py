"""Errors over HTTP: RFC 9457 problem details, one shape for the whole API.

`{type, title, status, detail, instance, request_id}` and, for validation errors,
`errors: [{field, message}]`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypedDict

import orjson
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from titanium_kit.context import current_request

MEDIA_TYPE = "application/problem+json"


class FieldError(TypedDict):
    """One wrong member of a request: a dotted path and a sentence."""

    field: str
    message: str


class FieldErrorModel(BaseModel):
    """One wrong member of a request."""

    field: str
    message: str


class ProblemModel(BaseModel):
    """The error body, for the OpenAPI document."""

    type: str = "about:blank"
    title: str
    status: int = Field(ge=400, le=599)
    detail: str
    instance: str
    request_id: str
    errors: list[FieldErrorModel] | None = None


class Problem(HTTPException):
    """An error with its answer.

    `detail` tells a person what is wrong and what to do; `headers` may carry Retry-After,
    WWW-Authenticate or Allow.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[FieldError] = (),
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.errors = list(errors)


class Unauthorized(Problem):
    """401 with the challenge that RFC 6750 asks for."""

    def __init__(self, detail: str, *, error: str = "") -> None:
        challenge = f'Bearer error="{error}"' if error else "Bearer"
        super().__init__(401, detail, headers={"WWW-Authenticate": challenge})


class Unavailable(Problem):
    """503: something that this service needs is away; a retry may succeed."""

    def __init__(self, detail: str, *, retry_after: int = 1) -> None:
        super().__init__(503, detail, headers={"Retry-After": str(retry_after)})


def title_of(status: int) -> str:
    """The standard phrase of an HTTP status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def _dumps(body: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(body)
    except TypeError:  # a lone surrogate from the request; JSON can only escape it
        return json.dumps(body).encode()


def problem_response(
    status: int,
    detail: str,
    *,
    instance: str,
    headers: Mapping[str, str] | None = None,
    errors: Sequence[FieldError] = (),
) -> Response:
    """The answer for a problem; `instance` is the request's path."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": title_of(status),
        "status": status,
        "detail": detail,
        "instance": instance,
        "request_id": current_request.get().request_id,
    }
    if errors:
        body["errors"] = list(errors)
    return Response(
        _dumps(body),
        status_code=status,
        headers={"Cache-Control": "no-store", **(headers or {})},
        media_type=MEDIA_TYPE,
    )


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of a route: which problems it may answer, for the OpenAPI document."""
    return {
        status: {
            "model": ProblemModel,
            "description": title_of(status),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemModel"}}},
        }
        for status in statuses
    }
