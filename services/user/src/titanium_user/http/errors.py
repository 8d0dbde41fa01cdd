"""From the domain's errors to problem+json."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from titanium_kit.errors import on_http_exception
from titanium_kit.problems import FieldError, Problem, Unauthorized, Unavailable
from titanium_user.domain.errors import (
    AccountError,
    NoAccountError,
    OverloadedError,
    TakenError,
    TooManyAttemptsError,
    UnknownUserError,
    WeakPasswordError,
    WrongCredentialsError,
    WrongPasswordError,
)

PASSWORD_FIELDS = {"/api/register": "password"}

STATUSES: dict[type[AccountError], int] = {
    TakenError: 409,
    UnknownUserError: 404,
    # 403 and not 401: the token is good, and logging in again would not help.
    WrongPasswordError: 403,
}


def problem_of(error: AccountError, path: str) -> Problem:
    """How `error` looks over HTTP when it happens at `path`."""
    text = str(error)
    match error:
        case NoAccountError():
            return Unauthorized(text, error="invalid_token")
        case WrongCredentialsError():
            return Unauthorized(text)
        case OverloadedError():
            return Unavailable(text)
        case TooManyAttemptsError():
            return Problem(429, text, headers={"Retry-After": str(error.retry_after)})
        case WeakPasswordError():
            field = PASSWORD_FIELDS.get(path, "new_password")
            return Problem(422, f"{field}: {text}", errors=[FieldError(field=field, message=text)])
        case _:
            return Problem(STATUSES[type(error)], text)


async def on_account_error(request: Request, error: Exception) -> Response:
    """The exception handler for `AccountError`."""
    assert isinstance(error, AccountError)  # noqa: S101 - registered for this type only
    return await on_http_exception(request, problem_of(error, request.url.path))


def install_account_errors(app: FastAPI) -> None:
    """Register the handler on `app`."""
    app.add_exception_handler(AccountError, on_account_error)
