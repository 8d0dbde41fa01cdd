"""Whose posts are whose: accounts that were moved, refused, or made for names without one."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from titanium.transfer.admin import Outcome, Row
from titanium.transfer.rows import RowError, folded

PLACEHOLDER_EMAIL = "former-author-{tag}@first-version.invalid"


@dataclass(frozen=True, slots=True)
class Account:
    """An author on the platform; `id` is None, with a `reason`, when there is no account."""

    username: str
    id: int | None
    reason: str = ""

    @classmethod
    def of(cls, row: Row, outcome: Outcome) -> Account:
        """What became of the account in `row`."""
        if outcome.status == "rejected":
            return cls(row["username"], None, outcome.reason or "refused by the service")
        return cls(row["username"], outcome.id)


class Authors:
    """The accounts of one import, by name."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}
        self._folded: dict[str, Account] = {}
        self._refused: set[str] = set()

    def __iter__(self) -> Iterator[Account]:
        return iter(self._accounts.values())

    def add(self, account: Account) -> None:
        """Remember an account that the platform has answered for."""
        self._accounts[account.username] = account
        self._folded[folded(account.username)] = account

    def missing(self, usernames: Iterable[str], authors: Iterable[str]) -> list[str]:
        """Names in `authors` that are not in `usernames`, in any case, each once.

        Names in `usernames` that were not added belong to rows that were refused: their posts
        must not go to somebody of a similar name.
        """
        known = set()
        for name in usernames:
            known.add(folded(name))
            if name not in self._accounts:
                self._refused.add(name)
        found: dict[str, str] = {}
        for name in authors:
            if name and folded(name) not in known:
                found.setdefault(folded(name), name)
        return sorted(found.values())

    def find(self, name: str) -> Account:
        """The account of that exact name, else of that name in any case. Raises RowError."""
        account = self._accounts.get(name)
        if account is None and name not in self._refused:
            account = self._folded.get(folded(name))
        if account is None:
            raise RowError(f"author: the account of {name[:60]!r} was rejected, see there")
        if account.reason:
            raise RowError(f"author: no account for {name[:60]!r}: {account.reason}")
        return account


def placeholder_row(number: int, name: str) -> dict[str, Any]:
    """A row for `titanium_user.admin import`: an account whose password nobody knows.

    The address depends on the name alone, so that a second import finds the account again.
    """
    tag = hashlib.sha256(folded(name).encode()).hexdigest()[:16]
    return {
        "legacy_id": number,
        "username": name,
        "email": PLACEHOLDER_EMAIL.format(tag=tag),
        "password": secrets.token_urlsafe(32),
    }
