"""Signing keys in the database.

A new key is published `LEAD` seconds before it signs. By then every replica of this service
publishes it, and a verifier that meets it for the first time either fetched the keys so recently
that it has it, or so long ago that it may fetch them again: no token is refused in between.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from titanium_auth.adapters.derived_keys import DerivedKeys, WrongKeyError
from titanium_kit.database import Connection, Database
from titanium_kit.settings import SettingsError
from titanium_kit.tokens.claims import LEEWAY, MAX_LIFETIME
from titanium_kit.tokens.verifier import REFETCH_AFTER

LOCK = 7_310_579_104  # any number that only changes of signing keys use
POLL_EVERY = 1.0  # seconds between two looks of a replica
LEAD = REFETCH_AFTER + POLL_EVERY + 1
MARGIN = 60  # seconds for clocks that disagree


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A published key, which may sign in `signs_in` seconds (negative: since then)."""

    kid: str
    private_key: Ed25519PrivateKey
    signs_in: float


class KeyStore:
    """Reads, creates and rotates signing keys; replicas take turns."""

    def __init__(self, database: Database, keys: DerivedKeys) -> None:
        self._database = database
        self._keys = keys

    async def load(self) -> Sequence[StoredKey]:
        """The published keys, newest last; the first key is made when there is none.

        Raises `SettingsError` when the database holds keys sealed under another
        KEY_ENCRYPTION_KEY, or no schema.
        """
        self._keys.require()
        try:
            async with self._database.connection() as connection:
                stored = await self._published(connection)
        except asyncpg.UndefinedTableError:
            raise SettingsError(
                "DATABASE_URL: the database has no tables of auth; "
                "run `python -m titanium_kit.migrate titanium_auth` first"
            ) from None
        if stored:
            return stored
        async with self._database.transaction() as connection:
            await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
            stored = await self._published(connection)
            if not stored:
                stored = [await self._create(connection, 0)]
        return stored

    async def rotate(
        self, *, lead: float = LEAD, discard: bool = False
    ) -> tuple[str, datetime | None]:
        """Make a key that signs in `lead` seconds: (its id, when the one before is withdrawn).

        The old key stays published until the last token signed with it has expired. With
        `discard` the old keys are deleted, readable or not, and the new one signs at once: every
        access token ends.
        Raises `SettingsError` when the old key does not open, which `discard` skips.
        """
        self._keys.require()
        async with self._database.transaction() as connection:
            await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
            withdrawn: datetime | None = None
            if discard:
                lead = 0
                await connection.execute("DELETE FROM signing_keys")
            else:
                await self._published(connection)
                withdrawn = await connection.fetchval(
                    """
                    UPDATE signing_keys SET retires_at = now() + make_interval(secs => $1)
                    WHERE retires_at IS NULL
                    RETURNING retires_at
                    """,
                    lead + MAX_LIFETIME + LEEWAY + MARGIN,
                )
            created = await self._create(connection, lead)
        return created.kid, withdrawn

    async def _published(self, connection: Connection) -> list[StoredKey]:
        rows = await connection.fetch(
            """
            SELECT kid, sealed_key, extract(epoch FROM signs_from - now())::float8 AS signs_in
            FROM signing_keys
            WHERE retires_at IS NULL OR retires_at > now()
            ORDER BY signs_from, kid
            """
        )
        return [
            StoredKey(row["kid"], self._open(row["kid"], row["sealed_key"]), row["signs_in"])
            for row in rows
        ]

    def _open(self, kid: str, sealed: bytes) -> Ed25519PrivateKey:
        try:
            return Ed25519PrivateKey.from_private_bytes(self._keys.open(sealed, kid))
        except WrongKeyError:
            raise SettingsError(
                f"KEY_ENCRYPTION_KEY: does not open the signing key {kid} in the database. "
                "Restore the value that the key was made with, or give it up and end every "
                "session: `titanium keys discard`, which in a cluster is "
                "`python -m titanium_auth.admin rotate-keys --discard`"
            ) from None

    async def _create(self, connection: Connection, lead: float) -> StoredKey:
        private = Ed25519PrivateKey.generate()
        kid = uuid.uuid4().hex
        await connection.execute(
            """
            INSERT INTO signing_keys (kid, sealed_key, signs_from)
            VALUES ($1, $2, now() + make_interval(secs => $3))
            """,
            kid,
            self._keys.seal(private.private_bytes_raw(), kid),
            float(lead),
        )
        return StoredKey(kid, private, lead)
