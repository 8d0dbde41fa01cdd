"""What may be done with accounts: the use cases behind every route of this service."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from titanium_user.domain.errors import (
    NoAccountError,
    OverloadedError,
    TakenError,
    UnknownUserError,
    WrongCredentialsError,
    WrongPasswordError,
)
from titanium_user.domain.models import Account, Credentials, ProfileChanges
from titanium_user.domain.names import RESERVED, is_username
from titanium_user.domain.passwords import PasswordPolicy
from titanium_user.domain.ports import Accounts, Courier, Hasher, Profiles


class AccountService:
    """The use cases, over the ports.

    `failure_seconds` is the least time after which wrong credentials are refused.
    """

    def __init__(
        self,
        accounts: Accounts,
        hasher: Hasher,
        policy: PasswordPolicy,
        courier: Courier,
        profiles: Profiles,
        *,
        failure_seconds: float,
    ) -> None:
        self._accounts = accounts
        self._hasher = hasher
        self._policy = policy
        self._courier = courier
        self._profiles = profiles
        self._failure_seconds = failure_seconds

    async def register(self, username: str, email: str, password: str) -> Account:
        """A new account. Raises `WeakPasswordError`, `TakenError`, `OverloadedError`."""
        self._policy.check(password, username=username, email=email)
        if username.lower() in RESERVED:
            raise TakenError
        return await self._accounts.create(username, email, await self._hasher.hash(password))

    async def profile(self, username: str) -> Account:
        """The account of that name. Raises `UnknownUserError`."""
        account = await self._accounts.by_username(username) if is_username(username) else None
        if account is None:
            raise UnknownUserError
        return account

    async def own(self, user_id: int) -> Account:
        """The caller's account. Raises `NoAccountError`."""
        account = await self._accounts.by_id(user_id)
        if account is None:
            raise NoAccountError
        return account

    async def update(self, user_id: int, changes: ProfileChanges) -> Account:
        """The caller's account after `changes`. Raises `TakenError`, `NoAccountError`.

        The e-mail address may change without the password: nobody logs in with it, and no
        password is ever sent to it.
        """
        account = await self._accounts.update(user_id, changes)
        await self._profiles.forget(account.username)
        return account

    async def verify(self, username: str, password: str) -> Credentials:
        """Whose credentials these are. Raises `WrongCredentialsError`, `OverloadedError`.

        The refusal takes the same time whatever the reason: an unknown name is checked against
        a hash that nothing matches, and no refusal comes before `failure_seconds`, because hashes
        of the platform's first version cost another time than ours.
        """
        began = time.monotonic()
        known = await self._accounts.credentials(username) if is_username(username) else None
        right = await self._hasher.verify(password, known.password_hash if known else None)
        if known is None or not right or known.disabled:
            await asyncio.sleep(self._failure_seconds - (time.monotonic() - began))
            raise WrongCredentialsError
        if self._hasher.is_outdated(known.password_hash):
            with suppress(OverloadedError):  # the next login tries again
                new = await self._hasher.hash(password)
                await self._accounts.replace_hash(known.user_id, known.password_hash, new)
        return known

    async def change_password(self, user_id: int, current: str, new: str) -> None:
        """Set another password and end every session, the caller's too.

        Raises `WrongPasswordError`, `WeakPasswordError`, `NoAccountError`,
        `TooManyAttemptsError`, `OverloadedError`.
        """
        known = await self._confirm(user_id, current)
        self._policy.check(new, username=known.username, email=known.email)
        hashed = await self._hasher.hash(new)
        notices = await self._accounts.change_password(user_id, known.session_epoch, hashed)
        await self._courier.deliver(notices)

    async def delete(self, user_id: int, password: str) -> None:
        """Remove the account, its sessions and its posts; the name stays used for ever.

        Raises as `change_password` does.
        """
        known = await self._confirm(user_id, password)
        notices = await self._accounts.delete(user_id, known.session_epoch)
        await asyncio.gather(self._profiles.forget(known.username), self._courier.deliver(notices))

    async def _confirm(self, user_id: int, password: str) -> Credentials:
        """The caller's credentials, once the password is proven; attempts are counted."""
        known = await self._accounts.begin_check(user_id)
        if not await self._hasher.verify(password, known.password_hash):
            raise WrongPasswordError
        await self._accounts.end_check(user_id)
        return known
