"""Who may call what, and what the OpenAPI document says about it."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from services.auth.tests.support import Auth, bearer, refresh, tokens
from titanium_auth.main import create_app
from titanium_auth.settings import AuthSettings

pytestmark = pytest.mark.integration

PUBLIC = {
    ("post", "/api/login"),
    ("post", "/api/auth/refresh"),
    ("post", "/api/auth/logout"),
    ("get", "/api/auth/verify"),
    ("get", "/.well-known/jwks.json"),
}


def document() -> dict[str, Any]:
    settings = AuthSettings(service="auth", environment="development")
    return create_app(settings).openapi()


async def test_bar_49_every_route_with_every_caller(auth: Auth) -> None:
    """Route x {anonymous, other user, owner}: statuses, and whose session is touched."""
    client = await auth.replica()
    auth.users.add("mallory", "right", user_id=2)
    operations = {(method, path) for path, item in document()["paths"].items() for method in item}
    assert operations == PUBLIC, "a new route needs its line here"

    owner, other = await tokens(client), await tokens(client, username="mallory")
    callers = {"anonymous": None, "other": other, "owner": owner}
    expected = {
        ("get", "/.well-known/jwks.json"): (200, 200, 200),
        ("post", "/api/login"): (422, 422, 422),
        ("get", "/api/auth/verify"): (401, 200, 200),
        ("post", "/api/auth/refresh"): (401, 200, 200),
        ("post", "/api/auth/logout"): (401, 204, 204),
    }
    for (method, path), statuses in expected.items():
        for (name, caller), status in zip(callers.items(), statuses, strict=True):
            options: dict[str, Any] = {"headers": bearer(caller["access_token"])} if caller else {}
            if caller and path.endswith("refresh"):
                options["json"] = {"refresh_token": caller["refresh_token"]}
            answer = await client.request(method, path, **options)
            client.cookies.clear()
            assert answer.status_code == status, (method, path, name, answer.text)
            if path.endswith("verify") and caller:
                who = {"other": "mallory", "owner": "alice"}[name]
                assert answer.json()["username"] == who
            if path.endswith("refresh") and caller:
                caller.update(answer.json())


async def test_bar_49_another_users_logout_leaves_the_owner_alone(
    client: httpx2.AsyncClient, auth: Auth
) -> None:
    """There is no way to name somebody else's session."""
    auth.users.add("mallory", "right", user_id=2)
    owner, other = await tokens(client), await tokens(client, username="mallory")
    sid = (await client.get("/api/auth/verify", headers=bearer(owner["access_token"]))).json()[
        "sid"
    ]
    await client.post(
        "/api/auth/logout",
        headers=bearer(other["access_token"]),
        json={"sid": sid, "session_id": sid, "user_id": 1},
    )
    assert (await refresh(client, owner["refresh_token"])).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/api/login", "POST"),
        ("PUT", "/api/auth/refresh", "POST"),
        ("DELETE", "/api/auth/logout", "POST"),
        ("POST", "/api/auth/verify", "GET, HEAD"),
        ("POST", "/.well-known/jwks.json", "GET, HEAD"),
    ],
)
async def test_other_methods_are_405_with_allow(
    client: httpx2.AsyncClient, method: str, path: str, allow: str
) -> None:
    """The Allow header names what works."""
    answer = await client.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == allow


async def test_other_content_types_are_415(client: httpx2.AsyncClient) -> None:
    """A form, as a page of another site could send it."""
    for path in ("/api/login", "/api/auth/refresh", "/api/auth/logout"):
        answer = await client.post(path, data={"username": "alice", "password": "right"})
        assert answer.status_code == 415


def test_document_names_every_problem() -> None:
    """Each status that an operation answers is there; problems are problem+json."""
    expected = {
        ("post", "/api/login"): "200 400 401 413 415 422 429 503",
        ("post", "/api/auth/refresh"): "200 400 401 403 409 413 415 422 429 503",
        ("post", "/api/auth/logout"): "204 400 401 403 413 415 422 429 503",
        ("get", "/api/auth/verify"): "200 401 422 429 503",
        ("get", "/.well-known/jwks.json"): "200 304 422 429 503",
    }
    paths = document()["paths"]
    for (method, path), statuses in expected.items():
        responses = paths[path][method]["responses"]
        assert " ".join(sorted(responses)) == statuses, path
        for status, response in responses.items():
            if status >= "400":
                assert "application/problem+json" in response["content"]


def test_document_says_which_operations_take_a_token() -> None:
    """verify needs one; logout takes one or a refresh token; the others take none."""
    paths = document()["paths"]
    assert paths["/api/auth/verify"]["get"]["security"] == [{"HTTPBearer": []}]
    assert paths["/api/auth/logout"]["post"]["security"] == [{"HTTPBearer": []}, {}]
    assert "security" not in paths["/api/login"]["post"]
    assert "security" not in paths["/api/auth/refresh"]["post"]


def test_bar_54_every_string_of_a_request_is_bounded() -> None:
    """No request schema has a text without a maximum length."""
    schemas = document()["components"]["schemas"]

    def texts(schema: dict[str, Any]) -> list[dict[str, Any]]:
        parts = [schema, *schema.get("anyOf", [])]
        return [part for part in parts if part.get("type") == "string"]

    for name in ("LoginRequest", "RefreshTokenRequest"):
        for member in schemas[name]["properties"].values():
            assert all("maxLength" in text for text in texts(member)), (name, member)
