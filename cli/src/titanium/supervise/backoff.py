"""How long to wait before a crashed process is started again."""

from __future__ import annotations

from dataclasses import dataclass

FIRST = 0.5
LONGEST = 8.0
STEADY = 10.0


@dataclass(slots=True)
class Backoff:
    """The first restart is immediate, further ones wait 0.5, 1, 2, 4, then 8 seconds.

    A process that ran for STEADY seconds starts over: its crash is a new event.
    """

    failures: int = 0

    def next(self, ran_for: float) -> float:
        """Seconds to wait after a run of `ran_for` seconds."""
        if ran_for >= STEADY:
            self.failures = 0
        delay = 0.0 if self.failures == 0 else min(LONGEST, FIRST * 2.0 ** (self.failures - 1))
        self.failures += 1
        return delay
