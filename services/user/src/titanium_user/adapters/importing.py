"""Brings accounts in from elsewhere, many at a time, as often as one likes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import asyncpg

from titanium_kit.database import Connection, Database
from titanium_user.domain.names import RESERVED, name_digest
from titanium_user.domain.ports import Hasher

ATTEMPTS = 3

_KNOWN = """
SELECT id, lower(username), lower(email) FROM account
WHERE lower(username) = ANY($1::text[]) OR lower(email) = ANY($2::text[])
"""
_USED = "SELECT digest FROM used_name WHERE digest = ANY($1::bytea[])"
_INSERT = """
WITH item AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bytea[])
        AS item (username, email, password_hash, display_name, bio, digest)
), claimed AS (
    INSERT INTO used_name (digest) SELECT digest FROM item ON CONFLICT DO NOTHING RETURNING digest
)
INSERT INTO account (username, email, password_hash, display_name, bio)
SELECT username, email, password_hash, display_name, bio FROM item JOIN claimed USING (digest)
RETURNING lower(username), id
"""


@dataclass(frozen=True, slots=True)
class Newcomer:
    """An account to bring in; exactly one of `password_hash` and `password` is set."""

    username: str
    email: str
    password_hash: str | None = None
    password: str | None = None
    display_name: str = ""
    bio: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a newcomer: `status` is created, existing or rejected."""

    status: str
    id: int | None = None
    reason: str | None = None


class RacedError(Exception):
    """Somebody registered one of the names in the meantime, several times in a row."""


@dataclass
class _Present:
    """What the database holds of a batch, and what the batch adds to it."""

    names: dict[str, tuple[int | None, str]] = field(default_factory=dict)
    emails: set[str] = field(default_factory=set)
    used: set[bytes] = field(default_factory=set)

    def reject(self, person: Newcomer) -> str | None:
        """Why `person` cannot come in, or None."""
        if person.username.lower() in RESERVED:
            return "the username is reserved"
        if person.username.lower() in self.names:
            return "the username is taken by an account with another e-mail address"
        if name_digest(person.username) in self.used:
            return "the username belonged to an account that was deleted"
        if person.email.lower() in self.emails:
            return "the e-mail address is taken by another account"
        return None


class AccountImporter:
    """Imports batches; one transaction each."""

    def __init__(self, database: Database, hasher: Hasher) -> None:
        self._database = database
        self._hasher = hasher

    async def run(self, batch: Sequence[Newcomer]) -> list[Outcome]:
        """One outcome per newcomer, in order.

        An account with the same username and e-mail address is left as it is.
        """
        for _ in range(ATTEMPTS):
            async with self._database.connection() as connection:
                present = await self._present(connection, batch)
            fresh: dict[str, Newcomer] = {}
            verdicts = [_judge(person, present, fresh) for person in batch]
            hashes = await self._hashes(fresh)
            with suppress(asyncpg.UniqueViolationError, RacedError):
                created = await self._insert(fresh, hashes)
                return [
                    verdict or self._outcome(person, fresh, created)
                    for person, verdict in zip(batch, verdicts, strict=True)
                ]
        raise RacedError("accounts are being registered under the same names right now; try again")

    async def _present(self, connection: Connection, batch: Sequence[Newcomer]) -> _Present:
        names = [person.username.lower() for person in batch]
        emails = [person.email.lower() for person in batch]
        rows = await connection.fetch(_KNOWN, names, emails)
        digests = await connection.fetch(_USED, [name_digest(name) for name in names])
        return _Present(
            names={name: (user_id, email) for user_id, name, email in rows},
            emails={email for _, _, email in rows},
            used={row[0] for row in digests},
        )

    async def _hashes(self, fresh: Mapping[str, Newcomer]) -> dict[str, str]:
        async def one(name: str, person: Newcomer) -> tuple[str, str]:
            return name, person.password_hash or await self._hasher.hash(person.password or "")

        return dict(await asyncio.gather(*(one(name, p) for name, p in fresh.items())))

    async def _insert(
        self, fresh: Mapping[str, Newcomer], hashes: Mapping[str, str]
    ) -> dict[str, int]:
        if not fresh:
            return {}
        people = list(fresh.values())
        async with self._database.transaction() as connection:
            rows = await connection.fetch(
                _INSERT,
                [person.username for person in people],
                [person.email for person in people],
                [hashes[name] for name in fresh],
                [person.display_name for person in people],
                [person.bio for person in people],
                [name_digest(person.username) for person in people],
            )
            if len(rows) != len(people):
                raise RacedError
        return dict(rows)

    @staticmethod
    def _outcome(
        person: Newcomer, fresh: Mapping[str, Newcomer], created: Mapping[str, int]
    ) -> Outcome:
        name = person.username.lower()
        status = "created" if fresh[name] is person else "existing"
        return Outcome(status, created[name])


def _judge(person: Newcomer, present: _Present, fresh: dict[str, Newcomer]) -> Outcome | None:
    """The outcome that is known before anything is written; None for those in `fresh`."""
    name, email = person.username.lower(), person.email.lower()
    user_id, known_email = present.names.get(name, (None, ""))
    if known_email == email:
        return Outcome("existing", user_id) if user_id is not None else None
    reason = present.reject(person)
    if reason:
        return Outcome("rejected", reason=reason)
    present.names[name] = (None, email)
    present.emails.add(email)
    fresh[name] = person
    return None
