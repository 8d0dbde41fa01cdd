"""PostgreSQL's own figures under postgres_exporter's names, as the role `titanium_monitor`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import asyncpg

from titanium.exporter.exposition import Family, counter, gauge
from titanium.provision.postgres import MONITOR

WITHIN = 2.5
_STATEMENT = 2.0
STATES = (
    "active",
    "idle",
    "idle in transaction",
    "idle in transaction (aborted)",
    "fastpath function call",
    "disabled",
)
MODES = (
    "accesssharelock",
    "rowsharelock",
    "rowexclusivelock",
    "shareupdateexclusivelock",
    "sharelock",
    "sharerowexclusivelock",
    "exclusivelock",
    "accessexclusivelock",
    "sireadlock",
)
# Columns of pg_stat_database; numbackends alone goes down as well as up.
_COUNTED = {
    "xact_commit": "Transactions committed.",
    "xact_rollback": "Transactions rolled back.",
    "blks_read": "Blocks read from the disk or the system's cache.",
    "blks_hit": "Blocks found in PostgreSQL's own cache.",
    "tup_returned": "Rows scanned.",
    "tup_fetched": "Rows fetched.",
    "tup_inserted": "Rows inserted.",
    "tup_updated": "Rows updated.",
    "tup_deleted": "Rows deleted.",
    "deadlocks": "Deadlocks found.",
    "temp_bytes": "Bytes written to temporary files.",
}
# In milliseconds, as in the view; zero unless track_io_timing is on.
_TIMED = {
    "blk_read_time": "Milliseconds spent reading blocks.",
    "blk_write_time": "Milliseconds spent writing blocks.",
}
_DATABASES = f"""
SELECT s.datname, numbackends, {", ".join((*_COUNTED, *_TIMED))},
       pg_database_size(d.oid) AS size
  FROM pg_stat_database s JOIN pg_database d ON d.oid = s.datid
 WHERE NOT d.datistemplate
"""  # noqa: S608 - column names from above
_ACTIVITY = """
SELECT datname, coalesce(state, 'unknown') AS state, count(*) AS count,
       coalesce(max(extract(epoch FROM now() - xact_start)), 0)::float8 AS longest
  FROM pg_stat_activity WHERE datname IS NOT NULL GROUP BY 1, 2
"""
_LOCKS = """
SELECT d.datname, lower(l.mode) AS mode, count(*) AS count
  FROM pg_locks l JOIN pg_database d ON d.oid = l.database GROUP BY 1, 2
"""
_SERVER = """
SELECT current_setting('max_connections')::int AS max_connections,
       current_setting('track_io_timing')::bool AS timed,
       pg_is_in_recovery() AS replica,
       CASE WHEN NOT pg_is_in_recovery()
              OR pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
            ELSE greatest(0, extract(epoch FROM now() - pg_last_xact_replay_timestamp()))
       END::float8 AS lag,
       (SELECT sum(size)::float8 FROM pg_ls_waldir()) AS wal
"""
Rows = Iterable[Mapping[str, Any]]


class PostgresMonitor:
    """Asks one server over one connection, made anew whenever it fails.

    `sockets` is the folder of the server's Unix socket, `password` the file with the role's
    password.
    """

    def __init__(self, sockets: Path, password: Path) -> None:
        self._sockets = sockets
        self._password = password
        self._connection: asyncpg.Connection | None = None
        self._asking = asyncio.Lock()
        self.trouble = ""

    async def families(self) -> list[Family]:
        """In at most `WITHIN` seconds; when PostgreSQL does not answer, only `pg_up` 0."""
        up = gauge("pg_up", "Whether PostgreSQL answers (1) or not (0).")
        try:
            async with asyncio.timeout(WITHIN), self._asking:
                found = await self._ask()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            self.trouble = str(error) or "no answer in time"
            return [up.add(0)]
        self.trouble = ""
        return [up.add(1), *found]

    async def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def _ask(self) -> list[Family]:
        try:
            connection = self._connection
            if connection is None or connection.is_closed():
                connection = self._connection = await self._connect()
            server = (await connection.fetch(_SERVER))[0]
            databases = await connection.fetch(_DATABASES)
            activity = await connection.fetch(_ACTIVITY)
            locks = await connection.fetch(_LOCKS)
        except BaseException:
            # Without a word: whoever does not answer would not hear it, either.
            await self.close()
            raise
        return [
            *server_families(server),
            *database_families(databases, timed=server["timed"]),
            *activity_families([row["datname"] for row in databases], activity, locks),
        ]

    async def _connect(self) -> asyncpg.Connection:
        return await asyncpg.connect(
            host=str(self._sockets),
            user=MONITOR,
            password=self._password.read_text("ascii").strip(),
            database="postgres",
            timeout=_STATEMENT,
            command_timeout=_STATEMENT,
            server_settings={
                "application_name": "titanium-exporter",
                "statement_timeout": f"{_STATEMENT:g}s",
                "default_transaction_read_only": "on",
            },
        )


def server_families(row: Mapping[str, Any]) -> list[Family]:
    return [
        gauge("pg_settings_max_connections", "Connections that it takes at most.").add(
            row["max_connections"]
        ),
        gauge("pg_replication_is_replica", "Whether it follows another server.").add(
            row["replica"]
        ),
        gauge("pg_replication_lag_seconds", "How far it is behind; 0 for a primary.").add(
            row["lag"] or 0.0
        ),
        gauge("pg_wal_size_bytes", "Size of the write-ahead log.").add(row["wal"] or 0.0),
    ]


def database_families(rows: Rows, *, timed: bool) -> list[Family]:
    backends = gauge("pg_stat_database_numbackends", "Connections to the database.")
    size = gauge("pg_database_size_bytes", "Size of the database on the disk.")
    columns = {**_COUNTED, **(_TIMED if timed else {})}
    counters = {c: counter(f"pg_stat_database_{c}", text) for c, text in columns.items()}
    for row in rows:
        labels = {"datname": row["datname"]}
        backends.add(row["numbackends"], **labels)
        size.add(row["size"], **labels)
        for column, family in counters.items():
            family.add(row[column], **labels)
    return [backends, size, *counters.values()]


def activity_families(databases: Iterable[str], activity: Rows, locks: Rows) -> list[Family]:
    """Every state and mode of every database, also those that nobody is in now."""
    names = list(databases)
    count = gauge("pg_stat_activity_count", "Connections by state.")
    longest = gauge(
        "pg_stat_activity_max_tx_duration", "Seconds of the longest transaction by state."
    )
    held = gauge("pg_locks_count", "Locks by mode.")
    seen = {(row["datname"], row["state"]): row for row in activity}
    for key in dict.fromkeys([*((d, s) for d in names for s in STATES), *seen]):
        found = seen.get(key)
        labels = {"datname": key[0], "state": key[1]}
        count.add(found["count"] if found else 0, **labels)
        longest.add(found["longest"] if found else 0, **labels)
    modes = {(d, mode): 0 for d in names for mode in MODES}
    modes.update({(row["datname"], row["mode"]): row["count"] for row in locks})
    for (database, mode), number in modes.items():
        held.add(number, datname=database, mode=mode)
    return [count, longest, held]
