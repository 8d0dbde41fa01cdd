"""The service's data, as the domain sees it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Account:
    """A person's account without its secrets; `created_at` is aware, in UTC."""

    id: int
    username: str
    email: str
    display_name: str
    bio: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a password is checked against.

    `session_epoch` rises whenever all sessions of the account must end.
    """

    user_id: int
    username: str
    email: str
    password_hash: str
    session_epoch: int
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class ProfileChanges:
    """What to change in an account; None leaves a field as it is."""

    email: str | None = None
    display_name: str | None = None
    bio: str | None = None


class NoticeKind(StrEnum):
    """What other services are told."""

    END_SESSIONS = "end_sessions"
    """auth: end the sessions of `user_id` opened under an epoch below `epoch`."""
    REMOVE_POSTS = "remove_posts"
    """blog: remove everything that `user_id` wrote."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One row of the outbox: told until the other service has said yes.

    Every notice may arrive twice or late: both kinds are idempotent and order does not matter.
    """

    id: int
    kind: NoticeKind
    user_id: int
    epoch: int
