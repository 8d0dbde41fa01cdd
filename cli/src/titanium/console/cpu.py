"""Shares of a core from the growing CPU times that the supervisor tells."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable

from titanium.supervise.protocol import ProcessStatus

# Seconds to average over: the times come in hundredths, and may be a second old.
WINDOW = 5.0


class CpuMeter:
    """Remembers the last `WINDOW` seconds of CPU times."""

    def __init__(self) -> None:
        self._past: deque[tuple[float, dict[str, tuple[int | None, float]]]] = deque()

    def shares(self, processes: Iterable[ProcessStatus], now: float) -> dict[str, float]:
        """Share of one core by process name; nothing yet for one that is new."""
        current = {item.name: (item.pid, item.cpu) for item in processes}
        while len(self._past) > 1 and now - self._past[1][0] >= WINDOW:
            self._past.popleft()
        before, past = self._past[0] if self._past else (now, {})
        self._past.append((now, current))
        if now - before < 1:
            return {}
        most = float(os.cpu_count() or 1)
        found = {}
        for name, (pid, used) in current.items():
            old_pid, old_used = past.get(name, (None, 0.0))
            share = (used - old_used) / (now - before)
            # More than the machine has: a parent was charged with the life of an ended child.
            if pid is not None and pid == old_pid and 0 <= share <= most:
                found[name] = share
        return found
