"""Redis: a cache and a message channel; its loss slows the platform and loses nothing."""

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

_RATE = "[$__rate_interval]"
_HITS = f"sum(rate(redis_keyspace_hits_total{_RATE}))"
_LOOKUPS = f"({_HITS} + sum(rate(redis_keyspace_misses_total{_RATE})))"
# In-process caches answer most reads: few look-ups reach Redis, most of them new.
_FEW_HITS = below(0.5, 0.1)


def _now() -> tuple[Panel, ...]:
    return (
        stat(
            "Up",
            "1 while the server answers. 0: services go on with their own memory, only slower.",
            Query("min(redis_up)"),
            unit="short",
            steps=common.ALL_OF_THEM,
        ),
        gauge(
            "Memory",
            "Used, of the limit. At 100 % it evicts keys.",
            Query("max(redis:memory:saturation_ratio) or on () vector(0)"),
            unit="percentunit",
            steps=common.SATURATION,
            width=4,
        ),
        stat(
            "Hits",
            "Share of look-ups at the server that found their key.",
            Query(f"{_HITS} / ({_LOOKUPS} > 0) or on () vector(0)"),
            unit="percentunit",
            steps=_FEW_HITS,
        ),
        stat(
            "Commands",
            "Commands a second.",
            Query(f"sum(rate(redis_commands_processed_total{_RATE}))"),
            unit="ops",
        ),
        stat(
            "Clients",
            "Open connections.",
            Query("sum(redis_connected_clients)"),
            unit="short",
        ),
        stat(
            "Uptime",
            "Since its last start. Short after a crash: the cache is cold.",
            Query("min(redis_uptime_in_seconds)"),
            unit="dtdurations",
        ),
    )


def _use() -> tuple[Panel, ...]:
    return (
        timeseries(
            "Cache hits by service and layer",
            "Share of look-ups answered by the service's own memory and by Redis.",
            Query(
                "service:cache_hits:ratio_rate5m"
                " or sum by (service, layer) (titanium_cache_lookups_total) * 0",
                "{{service}} {{layer}}",
            ),
            unit="percentunit",
            width=8,
            look=Look(maximum=1),
        ),
        timeseries(
            "Look-ups by result",
            "`error` is a Redis that is away or too slow: the services go on without it.",
            Query(f"sum by (result) (rate(titanium_cache_lookups_total{_RATE}))", "{{result}}"),
            unit="ops",
            width=8,
            look=Look(stacked=True, colors={"hit": "green", "miss": "blue", "error": "red"}),
        ),
        timeseries(
            "Look-ups at the server",
            "Keys found and not found, a second.",
            Query(_HITS, "hits"),
            Query(f"sum(rate(redis_keyspace_misses_total{_RATE}))", "misses"),
            unit="ops",
            width=8,
            look=Look(stacked=True, colors={"hits": "green", "misses": "blue"}),
        ),
    )


def _commands() -> tuple[Panel, ...]:
    count = f"sum by (cmd) (rate(redis_commands_total{_RATE}))"
    return (
        timeseries(
            "Commands by name",
            "The ten busiest commands a second.",
            Query(f"topk(10, {count})", "{{cmd}}"),
            unit="ops",
        ),
        timeseries(
            "Mean time by command",
            "In the server, without the way. Commands that were not used in the interval show 0.",
            Query(
                f"topk(10, sum by (cmd) (rate(redis_commands_duration_seconds_total{_RATE}))"
                f" / ({count} > 0) or {count} * 0)",
                "{{cmd}}",
            ),
            unit="s",
            look=Look(steps=above(0.001, 0.01)),
        ),
    )


def _memory() -> tuple[Panel, ...]:
    return (
        timeseries(
            "Memory",
            "Used, and the limit (0: none set).",
            Query("sum(redis_memory_used_bytes)", "used"),
            Query("sum(redis_memory_max_bytes)", "limit"),
            unit="bytes",
            width=6,
        ),
        timeseries(
            "Keys by database",
            "How many keys are kept; 0 when it is empty.",
            Query("sum by (db) (redis_db_keys)", "{{db}}"),
            unit="short",
            width=6,
        ),
        timeseries(
            "Keys removed",
            "Expired: their time was over. Evicted: there was no room; the cache is too small.",
            Query(f"sum(rate(redis_expired_keys_total{_RATE}))", "expired"),
            Query(f"sum(rate(redis_evicted_keys_total{_RATE}))", "evicted"),
            unit="ops",
            width=6,
            look=Look(colors={"expired": "blue", "evicted": "red"}),
        ),
        timeseries(
            "Refused connections",
            "Connections a second beyond the server's maximum of clients.",
            Query(f"sum(rate(redis_rejected_connections_total{_RATE}))", "refused"),
            unit="ops",
            width=6,
            look=Look(steps=above(0.1, 1)),
        ),
    )


def board() -> Board:
    """Uid titanium-redis."""
    return Board(
        "titanium-redis",
        "Titanium / Redis",
        "Memory, hits, commands and clients of the cache.",
        common.variables(),
        (
            Row("Now", _now(), height=4),
            Row("Use", _use()),
            Row("Commands", _commands()),
            Row("Memory", _memory(), height=7),
        ),
    )
