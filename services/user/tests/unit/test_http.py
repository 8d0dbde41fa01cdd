"""The HTTP edge without a database: the OpenAPI document and how errors look."""

from __future__ import annotations

from typing import Any

import pytest

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
from titanium_user.http.errors import problem_of
from titanium_user.main import create_app
from titanium_user.settings import UserSettings

pytestmark = pytest.mark.unit

METHODS = {
    "/api/register": {"post"},
    "/api/users/me": {"get", "patch", "delete"},
    "/api/users/me/password": {"put"},
    "/api/users/{username}": {"get"},
}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_app(UserSettings(service="user", environment="development")).openapi()


@pytest.mark.parametrize(
    ("error", "status", "header"),
    [
        (TakenError(), 409, None),
        (UnknownUserError(), 404, None),
        (WrongPasswordError(), 403, None),
        (NoAccountError(), 401, "WWW-Authenticate"),
        (WrongCredentialsError(), 401, "WWW-Authenticate"),
        (OverloadedError(), 503, "Retry-After"),
        (TooManyAttemptsError(7), 429, "Retry-After"),
        (WeakPasswordError("is weak"), 422, None),
    ],
)
def test_each_error_has_its_status(error: AccountError, status: int, header: str | None) -> None:
    problem = problem_of(error, "/api/register")
    assert problem.status_code == status
    assert str(error) in problem.detail
    assert header is None or (problem.headers and problem.headers[header])


def test_the_document_has_the_public_routes_only(document: dict[str, Any]) -> None:
    assert {path: set(methods) for path, methods in document["paths"].items()} == METHODS


def test_only_the_own_account_needs_a_token(document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        for operation in methods.values():
            private = path.startswith("/api/users/me")
            assert ("security" in operation) == private
            assert ("401" in operation["responses"]) == private


def test_bar_54_every_string_that_comes_in_is_bounded(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for name in ("Registration", "ProfileUpdate", "PasswordChange", "Confirmation"):
        for member in schemas[name]["properties"].values():
            assert member["type"] == "string"
            assert 0 < member["maxLength"] <= 2000
    for methods in document["paths"].values():
        for operation in methods.values():
            for parameter in operation.get("parameters", []):
                assert parameter["schema"]["maxLength"] <= 30


def test_a_change_has_no_defaults(document: dict[str, Any]) -> None:
    change = document["components"]["schemas"]["ProfileUpdate"]
    assert "required" not in change
    assert not any("default" in member for member in change["properties"].values())


def test_bar_50_no_answer_has_a_member_for_secrets(document: dict[str, Any]) -> None:
    for name in ("RegisteredAccount", "OwnAccount", "PublicProfile"):
        members = set(document["components"]["schemas"][name]["properties"])
        assert members <= {"id", "username", "email", "display_name", "bio", "created_at"}
    public = document["components"]["schemas"]["PublicProfile"]["properties"]
    assert "email" not in public
