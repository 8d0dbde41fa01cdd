"""What this console broke on purpose, newest first."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field

KEEP = 100


@dataclass(frozen=True, slots=True)
class Injection:
    """One experiment: `what` in words, begun at `at` (epoch seconds), of `service`."""

    service: str
    what: str
    outcome: str
    at: float = field(default_factory=time.time)


class Injections:
    """The last `KEEP` experiments of this console, in memory."""

    def __init__(self) -> None:
        self._items: deque[Injection] = deque(maxlen=KEEP)
        self.version = 0

    @property
    def newest_first(self) -> list[Injection]:
        return list(reversed(self._items))

    def add(self, injection: Injection) -> None:
        self._items.append(injection)
        self.version += 1
