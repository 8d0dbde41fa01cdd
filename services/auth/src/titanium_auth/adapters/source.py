"""Keys and revocations for this service's own token check; implements `TokenSource`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from titanium_auth.adapters.key_ring import KeyRing
from titanium_auth.adapters.revocations import PostgresRevocations


class LocalSource:
    """The same answers as the HTTP routes give, without HTTP."""

    def __init__(self, ring: KeyRing, revocations: PostgresRevocations) -> None:
        self._ring = ring
        self._revocations = revocations

    async def jwks(self) -> dict[str, Any]:
        return self._ring.jwks

    async def revocations(self, after: int) -> dict[str, Any]:
        return asdict(await self._revocations.after(after))
