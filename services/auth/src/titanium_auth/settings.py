"""What the auth service reads from its environment."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from titanium_kit.settings import ServiceSettings

DAY = 24 * 3600


def _long_enough(secret: SecretStr) -> SecretStr:
    if 0 < len(secret) < 16:
        raise ValueError("must have 16 characters or more; generate one, do not invent it")
    return secret


class AuthSettings(ServiceSettings):
    """Settings of auth; lifetimes are in seconds.

    `key_encryption_key` is any generated text: the keys that guard signing keys at rest, refresh
    tokens and throttling records are derived from it. Another value opens nothing that the
    database holds, so keep it with the backups. It may be empty in development, for commands that
    only describe the service; nothing is served then.
    `trusted_hops` is how many proxies of ours append to X-Forwarded-For (the gateway is one).
    """

    key_encryption_key: Annotated[SecretStr, AfterValidator(_long_enough)] = SecretStr("")
    access_lifetime: int = Field(default=15 * 60, ge=30, le=15 * 60)
    session_lifetime: int = Field(default=30 * DAY, ge=60, le=30 * DAY)
    trusted_hops: int = Field(default=1, ge=1, le=10)
