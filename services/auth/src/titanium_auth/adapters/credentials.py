"""The user service's answer about a name and a password; implements `Credentials`."""

from __future__ import annotations

from pydantic import TypeAdapter, ValidationError

from titanium_auth.domain.models import Account
from titanium_kit.client import MeshClient
from titanium_kit.problems import Unavailable

_account = TypeAdapter(Account)

# 400, 413 and 422: a name or password that no account can have. It must look like any other.
MISMATCH = frozenset({400, 401, 413, 422})


class UserCredentials:
    """Asks `POST /internal/credentials/verify` over the mesh."""

    def __init__(self, client: MeshClient) -> None:
        self._client = client

    async def verify(self, username: str, password: str) -> Account | None:
        response = await self._client.request(
            "POST",
            "user",
            "/internal/credentials/verify",
            json={"username": username, "password": password},
        )
        if response.status_code in MISMATCH:
            return None
        if response.status_code != 200:
            raise Unavailable(f"The user service answered {response.status_code}.")
        body = response.json()
        if isinstance(body, dict) and "session_epoch" in body:
            body["epoch"] = body.pop("session_epoch")
        try:
            return _account.validate_python(body)
        except ValidationError:
            raise Unavailable("The user service answered with something else.") from None
