"""What observability costs: the same platform with it and without it, in turns.

Only one of the two runs at a time: on a few cores, a second Prometheus would slow down exactly
the measurement that is to be made without one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from titanium.bench import usage
from titanium.bench.instance import Instance
from titanium.bench.model import Load, Observability, Usage
from titanium.errors import ToolMissingError

PROCESSES = frozenset(("exporter", "prometheus", "alertmanager", "console"))
# After a start everything still warms up; then this long nobody asks for anything, in seconds.
_SETTLE, _IDLE = 10.0, 20.0


@dataclass(frozen=True, slots=True)
class Watch:
    """Measures an instance that is not running, and leaves it running with observability.

    `fire` sends the load; `begin` and `measured` tell people.
    """

    instance: Instance
    fire: Callable[[], Load]
    begin: Callable[[str], None]
    measured: Callable[[str], None]

    def compare(self, rounds: int) -> Observability:
        """`rounds` pairs, each in the other order than the one before.

        ToolMissingError when Prometheus or another part is not there to be measured.
        """
        loads: dict[bool, list[Load]] = {True: [], False: []}
        idle: dict[bool, Mapping[str, Usage]] = {}
        for number in range(rounds):
            for observability in (True, False) if number % 2 == 0 else (False, True):
                self.begin(_title(number + 1, rounds, observability))
                self.instance.up(observability=observability)
                if observability:
                    self._require_everything()
                if observability not in idle:
                    idle[observability] = self._at_rest()
                self.fire()  # warms up
                load = self.fire()
                loads[observability].append(load)
                self.instance.down()
                self.measured(f"{load.rate:,.0f}/s")
        self.instance.up()
        return Observability(tuple(loads[True]), tuple(loads[False]), idle[True], idle[False])

    def _at_rest(self) -> Mapping[str, Usage]:
        time.sleep(_SETTLE)
        pids = self.instance.processes()
        before = usage.snapshot(pids)
        time.sleep(_IDLE)
        after = usage.snapshot(pids)
        return usage.between(before, after, usage.memory(pids))

    def _require_everything(self) -> None:
        if missing := PROCESSES - set(self.instance.processes()):
            raise ToolMissingError(
                f"observability cannot be measured without {', '.join(sorted(missing))}",
                "See titanium tools; titanium tools fetch fetches what is missing.",
            )


def _title(number: int, rounds: int, observability: bool) -> str:
    return f"{number}/{rounds} cached post {'with' if observability else 'without'} observability"
