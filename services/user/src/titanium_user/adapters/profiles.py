"""Public profiles in the response cache."""

from __future__ import annotations

from titanium_kit.cache import ResponseCache


def profile_tag(username: str) -> str:
    """The cache tag of a profile, however its name is spelled."""
    return f"user:{username.lower()}"


class CachedProfiles:
    """Implements `domain.ports.Profiles`."""

    def __init__(self, cache: ResponseCache) -> None:
        self._cache = cache

    async def forget(self, username: str) -> None:
        await self._cache.invalidate(profile_tag(username))
