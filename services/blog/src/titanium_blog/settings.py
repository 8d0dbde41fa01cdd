"""Settings of the blog service; see `ServiceSettings` for those that every service has."""

from __future__ import annotations

from titanium_kit.settings import ServiceSettings


class Settings(ServiceSettings):
    """The blog needs nothing that other services do not."""
