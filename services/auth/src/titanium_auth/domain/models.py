"""The values that the use cases pass around."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Account:
    """Who logged in, as the user service says.

    `epoch` grows when every session of the account must end (password change, disabling).
    """

    user_id: int
    username: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Session:
    """A live session. `expires_at` is absolute: no refresh moves it."""

    id: UUID
    user_id: int
    username: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Grant:
    """What a login or a refresh hands out. Lifetimes are in whole seconds from now."""

    access_token: str
    access_seconds: int
    refresh_token: str
    refresh_seconds: int


@dataclass(frozen=True, slots=True)
class Revocation:
    """No token of session `sid` is valid; `until` (seconds since the epoch) all have expired."""

    sid: str
    until: float


@dataclass(frozen=True, slots=True)
class Revocations:
    """A page of revocations; ask for what follows with `after=last`."""

    last: int
    revoked: Sequence[Revocation]
