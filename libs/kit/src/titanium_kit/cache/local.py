"""The layer inside the process: bounded by bytes, least recently used goes first."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable

from titanium_kit.cache.entry import Entry

REMEMBERED_TAGS = 10_000


class LocalCache:
    """Entries by key, each with the tags that invalidate it.

    A reader takes `generation` before it reads the database and hands it to `store`: when one of
    the tags was invalidated in between, what it read may be old and is not kept.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._entries: OrderedDict[bytes, tuple[Entry, float, frozenset[str]]] = OrderedDict()
        self._keys: dict[str, set[bytes]] = {}
        self._invalidated: OrderedDict[str, int] = OrderedDict()
        self._floor = 0
        self.generation = 0

    def get(self, key: bytes, max_age: float) -> Entry | None:
        """The entry under `key` that is at most `max_age` seconds old, or its own `max_age`."""
        found = self._entries.get(key)
        if found is None:
            return None
        if time.monotonic() - found[1] > min(max_age, found[0].max_age):
            self._drop(key)
            return None
        self._entries.move_to_end(key)
        return found[0]

    def store(self, key: bytes, entry: Entry, tags: Iterable[str], generation: int) -> bool:
        """Keep `entry` unless a tag was invalidated since `generation`; tells whether it did."""
        names = frozenset(tags)
        stale = generation < self._floor or any(
            self._invalidated.get(tag, 0) > generation for tag in names
        )
        size = entry.size + len(key)
        if stale or size > self._max_bytes // 8:
            return False
        self._drop(key)
        self._entries[key] = (entry, time.monotonic(), names)
        self._bytes += size
        for tag in names:
            self._keys.setdefault(tag, set()).add(key)
        while self._bytes > self._max_bytes:
            self._drop(next(iter(self._entries)))
        return True

    def invalidate(self, tags: Iterable[str]) -> None:
        """Drop every entry with one of `tags`."""
        self.generation += 1
        for tag in tags:
            self._invalidated[tag] = self.generation
            self._invalidated.move_to_end(tag)
            for key in tuple(self._keys.get(tag, ())):
                self._drop(key)
        while len(self._invalidated) > REMEMBERED_TAGS:
            self._floor = self._invalidated.popitem(last=False)[1]

    def clear(self) -> None:
        """Drop everything, also what readers under way would store."""
        self.generation += 1
        self._floor = self.generation
        self._entries.clear()
        self._keys.clear()
        self._invalidated.clear()
        self._bytes = 0

    def _drop(self, key: bytes) -> None:
        found = self._entries.pop(key, None)
        if found is None:
            return
        self._bytes -= found[0].size + len(key)
        for tag in found[2]:
            keys = self._keys[tag]
            keys.discard(key)
            if not keys:
                del self._keys[tag]
