"""What the domain needs from outside; `titanium_user.adapters` serves it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from titanium_user.domain.models import Account, Credentials, Notice, ProfileChanges


class Accounts(Protocol):
    """The accounts. Usernames and e-mail addresses are compared without regard to case."""

    async def create(self, username: str, email: str, password_hash: str) -> Account:
        """A new account. Raises `TakenError`."""

    async def by_id(self, user_id: int) -> Account | None:
        """The account unless it is deleted or disabled."""

    async def by_username(self, username: str) -> Account | None:
        """The account, disabled or not."""

    async def credentials(self, username: str) -> Credentials | None:
        """What a login is checked against, also of a disabled account."""

    async def begin_check(self, user_id: int) -> Credentials:
        """Count an attempt to confirm the password, before it is known to be right.

        Raises `NoAccountError`, and `TooManyAttemptsError` when there were too many.
        """

    async def end_check(self, user_id: int) -> None:
        """The attempt was right: start counting anew."""

    async def update(self, user_id: int, changes: ProfileChanges) -> Account:
        """Apply `changes`. Raises `TakenError` for an e-mail address, `NoAccountError`."""

    async def replace_hash(self, user_id: int, old: str, new: str) -> None:
        """Swap two hashes of one password; nothing happens when `old` is no longer there."""

    async def change_password(self, user_id: int, epoch: int, new: str) -> Sequence[Notice]:
        """Set the hash `new` and raise the epoch; returns what others must be told.

        Raises `NoAccountError` when the account is not at `epoch` any more.
        """

    async def delete(self, user_id: int, epoch: int) -> Sequence[Notice]:
        """Remove the account for ever, its name stays used; as `change_password` otherwise."""


class Hasher(Protocol):
    """Hashes passwords outside of the event loop. Raises `OverloadedError` when too many wait."""

    async def hash(self, password: str) -> str:
        """The argon2id hash of `password` under the present parameters."""

    async def verify(self, password: str, hashed: str | None) -> bool:
        """Whether `password` belongs to `hashed`; None costs the same time and is never right."""

    def is_outdated(self, hashed: str) -> bool:
        """Whether `hashed` has another scheme or other parameters than new hashes."""


class Courier(Protocol):
    """Tells other services what happened."""

    async def deliver(self, notices: Sequence[Notice]) -> None:
        """Tell now; returns when all is told, or a little later when somebody does not answer.

        What could not be told is told later. Raises nothing.
        """


class Profiles(Protocol):
    """The cache of public profiles."""

    async def forget(self, username: str) -> None:
        """Drop the profile from every replica's cache."""
