"""Keys and revocations from the auth service."""

from __future__ import annotations

from typing import Any

from titanium_kit.client import MeshClient


class AuthSource:
    """Asks auth over the mesh; implements `TokenSource`."""

    def __init__(self, client: MeshClient) -> None:
        self._client = client

    async def jwks(self) -> dict[str, Any]:
        document: dict[str, Any] = await self._client.get_json("auth", "/.well-known/jwks.json")
        return document

    async def revocations(self, after: int) -> dict[str, Any]:
        path = f"/internal/revocations?after={after}"
        document: dict[str, Any] = await self._client.get_json("auth", path, timeout=1.0)
        return document
