"""PostgreSQL: does it answer, is there room for connections, memory and disk, what waits."""

from __future__ import annotations

from titanium.dashboards.boards import common
from titanium.dashboards.boards.board import Board, Row
from titanium.dashboards.boards.panels import (
    Look,
    Panel,
    Query,
    above,
    below,
    gauge,
    stat,
    timeseries,
)

# Databases of the platform: not the server's own.
_D = 'datname!~"template.*|postgres|"'


def _rate(name: str) -> str:
    return f"sum by (datname) (rate({name}{{{_D}}}[$__rate_interval]))"


def _now() -> tuple[Panel, ...]:
    return (
        stat(
            "Up",
            "1 while the server takes connections. 0: writes fail, the API answers 503.",
            Query("min(pg_up)"),
            unit="short",
            steps=common.ALL_OF_THEM,
        ),
        gauge(
            "Connections",
            "Used, of the server's maximum. At 100 % new connections are refused.",
            Query("max(postgres:connections:saturation_ratio)"),
            unit="percentunit",
            steps=common.SATURATION,
            width=4,
        ),
        stat(
            "Longest transaction",
            "A transaction that stays open keeps old rows alive and may hold locks.",
            Query("max(pg_stat_activity_max_tx_duration) or on () vector(0)"),
            unit="s",
            steps=above(30, 300),
        ),
        stat(
            "Replication lag",
            "How far the slowest standby is behind; 0 on a server without one.",
            Query("max(pg_replication_lag_seconds) or on () vector(0)"),
            unit="s",
            steps=above(5, 30),
        ),
        stat(
            "Cache hits",
            "Share of pages found in the server's memory. Low: it reads from disk.",
            Query("min(postgres:cache_hits:ratio_rate5m >= 0) or on () vector(1)"),
            unit="percentunit",
            steps=below(0.95, 0.8),
        ),
        stat(
            "Free disk",
            "Free space where the data lies. At 0 the server stops.",
            Query("min(state_disk:free_ratio)"),
            unit="percentunit",
            steps=below(0.2, 0.1),
        ),
    )


def _connections() -> tuple[Panel, ...]:
    return (
        timeseries(
            "Connections by database",
            "Backends of each database.",
            Query(f"sum by (datname) (pg_stat_database_numbackends{{{_D}}})", "{{datname}}"),
            unit="short",
            width=8,
            look=Look(stacked=True),
        ),
        timeseries(
            "Connections by state",
            "`idle in transaction` that stays is a leak in an application.",
            Query(f"sum by (state) (pg_stat_activity_count{{{_D}}})", "{{state}}"),
            unit="short",
            width=8,
            look=Look(stacked=True),
        ),
        timeseries(
            "Pools of the services",
            "In use, of the pool's size. At 100 % requests wait in the service.",
            Query("service:database_pool:saturation_ratio", "{{service}}"),
            unit="percentunit",
            width=8,
            look=Look(steps=common.SATURATION),
        ),
    )


def _work() -> tuple[Panel, ...]:
    return (
        timeseries(
            "Transactions committed",
            "Committed transactions a second.",
            Query(_rate("pg_stat_database_xact_commit"), "{{datname}}"),
            unit="ops",
            width=8,
        ),
        timeseries(
            "Transactions rolled back",
            "Rolled back a second. Some are ordinary (a taken name, a stale version).",
            Query(_rate("pg_stat_database_xact_rollback"), "{{datname}}"),
            unit="ops",
            width=8,
        ),
        timeseries(
            "Rows written",
            "Inserted, updated and deleted rows a second.",
            *(
                Query(f"sum(rate(pg_stat_database_tup_{what}{{{_D}}}[$__rate_interval]))", what)
                for what in ("inserted", "updated", "deleted")
            ),
            unit="ops",
            width=8,
        ),
        timeseries(
            "Rows read",
            "Returned: looked at. Fetched: given to the query. Far apart: an index is missing.",
            *(
                Query(f"sum(rate(pg_stat_database_tup_{what}{{{_D}}}[$__rate_interval]))", what)
                for what in ("returned", "fetched")
            ),
            unit="ops",
            width=8,
        ),
        timeseries(
            "Locks by mode",
            "Locks held or waited for. AccessExclusiveLock for long: a migration blocks readers.",
            Query(f"sum by (mode) (pg_locks_count{{{_D}}})", "{{mode}}"),
            unit="short",
            width=8,
            look=Look(stacked=True),
        ),
        timeseries(
            "Deadlocks",
            "Deadlocks a second; the server ended one of the transactions each time.",
            Query(_rate("pg_stat_database_deadlocks"), "{{datname}}"),
            unit="ops",
            width=8,
            look=Look(steps=above(0.01, 0.1)),
        ),
    )


def _storage() -> tuple[Panel, ...]:
    return (
        timeseries(
            "Cache hits by database",
            "Share of pages found in the server's memory; 100 % when nothing is read.",
            Query(
                f"max by (datname) (postgres:cache_hits:ratio_rate5m{{{_D}}})"
                f" or max by (datname) (pg_database_size_bytes{{{_D}}}) * 0 + 1",
                "{{datname}}",
            ),
            unit="percentunit",
            width=6,
            look=Look(maximum=1),
        ),
        timeseries(
            "Size by database",
            "Tables and indexes on disk.",
            Query(f"pg_database_size_bytes{{{_D}}}", "{{datname}}"),
            unit="bytes",
            width=6,
            look=Look(stacked=True),
        ),
        timeseries(
            "Write-ahead log",
            "Size on disk. One that only grows: a replication slot or the archive is stuck.",
            Query("max(pg_wal_size_bytes)", "WAL"),
            unit="bytes",
            width=6,
        ),
        timeseries(
            "Temporary files",
            "Bytes a second that sorts and hashes spill to disk.",
            Query(_rate("pg_stat_database_temp_bytes"), "{{datname}}"),
            unit="Bps",
            width=6,
        ),
    )


def _replication() -> tuple[Panel, ...]:
    return (
        timeseries(
            "Replication lag by server",
            "Seconds behind the leader; 0 on the leader.",
            Query("max by (instance) (pg_replication_lag_seconds)", "{{instance}}"),
            unit="s",
            look=Look(steps=above(5, 30)),
        ),
        timeseries(
            "Standbys",
            "1: the server is a standby, 0: it takes writes. Exactly one may be at 0.",
            Query("max by (instance) (pg_replication_is_replica)", "{{instance}}"),
            unit="short",
            look=Look(maximum=1),
        ),
    )


def board() -> Board:
    """Uid titanium-postgresql."""
    return Board(
        "titanium-postgresql",
        "Titanium / PostgreSQL",
        "Connections, work, waiting, storage and replication of the database.",
        common.variables(),
        (
            Row("Now", _now(), height=4),
            Row("Connections", _connections()),
            Row("Work", _work()),
            Row("Storage", _storage(), height=7),
            Row("Replication", _replication(), height=6),
        ),
    )
