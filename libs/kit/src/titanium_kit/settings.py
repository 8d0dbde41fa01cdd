"""Settings of a service: read once from the environment, typed, frozen.

Secrets never travel in URLs or on command lines: they are files in `SECRETS_DIR`,
named like the setting in lower case, as Kubernetes mounts them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, Self, TypeVar

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError as SourceError

PLACEHOLDERS = frozenset({"", "changeme", "change-me", "secret", "password", "postgres", "test"})


class SettingsError(Exception):
    """The environment does not describe a service that may start; one line, names the settings."""


class ServiceSettings(BaseSettings):
    """What every service reads. Subclass it for a service's own settings.

    Durations are in seconds, sizes in bytes.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", case_sensitive=False)

    service: str = Field(min_length=2)
    instance: str = ""
    environment: Literal["development", "production"] = "production"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    bind: str = "tcp:127.0.0.1:8000"
    public_url: str = "http://127.0.0.1:8080"
    egress: str = ""

    database_url: str = ""
    database_owner_url: str = ""
    database_password: SecretStr = SecretStr("")
    database_owner_password: SecretStr = SecretStr("")
    database_pool_size: int = Field(default=8, ge=1, le=100)
    database_timeout: float = Field(default=5.0, gt=0)
    # For a database without a standby, which is away while it restarts: how long a request waits
    # for it, instead of being refused at once.
    database_wait: float = Field(default=0.0, ge=0, le=60)
    redis_url: str = ""
    redis_password: SecretStr = SecretStr("")
    cache_timeout: float = Field(default=0.1, gt=0)
    cache_max_bytes: int = Field(default=32 * 1024 * 1024, gt=0)

    otel_exporter_otlp_endpoint: str = ""

    max_body_bytes: int = Field(default=1024 * 1024, gt=0)
    token_issuer: str = "titanium"  # noqa: S105 - a name
    token_audience: str = "titanium-api"  # noqa: S105 - a name

    @field_validator("otel_exporter_otlp_endpoint")
    @classmethod
    def _known_endpoint(cls, value: str) -> str:
        if value and not value.startswith(("unix:///", "http://", "https://")):
            raise ValueError("must be unix:///path/to.sock or http(s)://host:port")
        return value

    @model_validator(mode="after")
    def _refuse_placeholders(self) -> Self:
        if self.environment == "development":
            return self
        weak = [
            name
            for name, value in self
            if isinstance(value, SecretStr)
            and self._is_needed(name)
            and value.get_secret_value().lower() in PLACEHOLDERS
        ]
        if weak:
            raise ValueError(f"{', '.join(weak)}: empty or a placeholder, refused in production")
        return self

    def _is_needed(self, secret: str) -> bool:
        """A secret is needed when what it unlocks is configured."""
        if secret == "database_owner_password":  # noqa: S105 - a setting's name
            return False
        if secret.startswith("database"):
            return bool(self.database_url)
        if secret.startswith("redis"):
            return bool(self.redis_url)
        return True


S = TypeVar("S", bound=ServiceSettings)


def load_settings(kind: type[S]) -> S:
    """Read `kind` from the environment and `SECRETS_DIR`.

    Raises `SettingsError` with one line that names each wrong setting; values are not shown.
    """
    folder = os.environ.get("SECRETS_DIR")
    if folder and not Path(folder).is_dir():
        raise SettingsError(f"SECRETS_DIR: {folder} is not a folder")
    try:
        return kind(_secrets_dir=folder)
    except ValidationError as error:
        lines = [
            f"{'.'.join(str(part) for part in item['loc']).upper() or 'settings'}: {item['msg']}"
            for item in error.errors(include_input=False, include_url=False)
        ]
        raise SettingsError("; ".join(lines)) from None
    except SourceError as error:  # a value that is not JSON, a file that cannot be read
        raise SettingsError(f"{error}: {error.__cause__}") from None
