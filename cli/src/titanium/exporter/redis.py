"""Redis' own figures under redis_exporter's names, from one INFO.

Two commands over a Unix socket: the client library would take 10 MB of memory for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

from titanium.exporter.exposition import Family, counter, gauge
from titanium.provision.redis import MONITOR

WITHIN = 1.0
_LARGEST = 1024 * 1024
# Metric, help, member of INFO.
_GAUGES = (
    ("redis_memory_used_bytes", "Memory in use.", "used_memory"),
    ("redis_memory_max_bytes", "Memory that it may use; 0 is no limit.", "maxmemory"),
    ("redis_connected_clients", "Connected clients.", "connected_clients"),
    ("redis_uptime_in_seconds", "Seconds since its start.", "uptime_in_seconds"),
)
_COUNTERS = (
    ("redis_keyspace_hits_total", "Look-ups that found their key.", "keyspace_hits"),
    ("redis_keyspace_misses_total", "Look-ups that found nothing.", "keyspace_misses"),
    ("redis_evicted_keys_total", "Keys removed for want of memory.", "evicted_keys"),
    ("redis_expired_keys_total", "Keys whose time was over.", "expired_keys"),
    ("redis_commands_processed_total", "Commands carried out.", "total_commands_processed"),
    ("redis_rejected_connections_total", "Connections over the limit.", "rejected_connections"),
)
_UP = "Whether Redis answers (1) or not (0)."


class RedisMonitor:
    """Asks one server; `password` is the file with the password of the user `monitor`."""

    def __init__(self, socket: Path, password: Path) -> None:
        self._socket = socket
        self._password = password
        self.trouble = ""

    async def families(self) -> list[Family]:
        """In at most `WITHIN` seconds; when Redis does not answer, only `redis_up` 0."""
        up = gauge("redis_up", _UP)
        try:
            async with asyncio.timeout(WITHIN):
                info = await self._info()
            found = [up.add(1), *exposition(info)]
        except (OSError, EOFError, ValueError) as error:
            self.trouble = str(error) or "no answer in time"
            return [gauge("redis_up", _UP).add(0)]
        self.trouble = ""
        return found

    async def _info(self) -> dict[str, str]:
        password = self._password.read_text("ascii").strip()
        reader, writer = await asyncio.open_unix_connection(str(self._socket))
        try:
            writer.write(_command("AUTH", MONITOR, password) + _command("INFO", "all"))
            head = await reader.readline()
            if head != b"+OK\r\n":
                raise EOFError(head.decode("utf-8", "replace").strip() or "closed the connection")
            head = await reader.readline()
            if not head.startswith(b"$"):
                raise EOFError(head.decode("utf-8", "replace").strip())
            size = int(head[1:])
            if not 0 <= size <= _LARGEST:
                raise EOFError(f"INFO of {size} bytes")
            return parse(await reader.readexactly(size))
        finally:
            writer.close()


def _command(*words: str) -> bytes:
    parts = [f"*{len(words)}", *(f"${len(word.encode())}\r\n{word}" for word in words)]
    return "".join(f"{part}\r\n" for part in parts).encode()


def parse(info: bytes) -> dict[str, str]:
    """Members of an INFO answer; sections fall together."""
    pairs = (line.partition(":") for line in info.decode("utf-8", "replace").splitlines())
    return {name: value for name, colon, value in pairs if colon and not name.startswith("#")}


def exposition(info: dict[str, str]) -> Iterator[Family]:
    """Families of one INFO; ValueError when a figure is none."""
    for make, table in ((gauge, _GAUGES), (counter, _COUNTERS)):
        for name, text, member in table:
            if member in info:
                yield make(name, text).add(float(info[member]))
    # A database without keys is not in INFO; ours has only this one.
    keys = _part(info.get("db0", ""), "keys")
    yield gauge("redis_db_keys", "Keys of a database.").add(keys, db="db0")
    calls = counter("redis_commands_total", "Calls of a command.")
    seconds = counter("redis_commands_duration_seconds_total", "Seconds spent in a command.")
    for member, value in info.items():
        if member.startswith("cmdstat_"):
            command = member.removeprefix("cmdstat_")
            calls.add(_part(value, "calls"), cmd=command)
            seconds.add(_part(value, "usec") / 1e6, cmd=command)
    yield from (calls, seconds)


def _part(value: str, name: str) -> float:
    """`keys=3,expires=0`: the figure after `name=`; 0 when there is none."""
    parts = dict(part.partition("=")[::2] for part in value.split(","))
    return float(parts.get(name, 0))
