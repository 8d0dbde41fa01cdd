"""What the benchmark measured, as pure data, and the arithmetic on it."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

LIMIT = "limit"
HASHES = "argon2id"
MIXED = "mixed"
OBSERVABILITY = "observability"


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of `values` do not exceed.

    ValueError when there are no values.
    """
    if not values:
        raise ValueError("no values")
    rank = max(1, math.ceil(share * len(values)))
    return sorted(values)[rank - 1]


def median(values: Sequence[float]) -> float:
    """The value in the middle; of an even number the lower one, which was really measured."""
    return percentile(values, 0.5)


@dataclass(frozen=True, slots=True)
class Load:
    """What one generator of load saw.

    `requests` answered in `seconds`; latencies in milliseconds; `refused` are answers with
    status 4xx or 5xx, `broken` are connections and answers that failed or came too late.
    """

    requests: int
    seconds: float
    p50: float
    p95: float
    p99: float
    refused: int = 0
    broken: int = 0

    @property
    def rate(self) -> float:
        """Answers that were no errors, per second."""
        return max(0, self.requests - self.refused) / self.seconds if self.seconds > 0 else 0.0

    @property
    def errors(self) -> int:
        return self.refused + self.broken


@dataclass(frozen=True, slots=True)
class Usage:
    """One process with its children: `cpu` in percent of a core over a step, bytes of memory.

    `resident` counts memory that processes share once for each of them, `proportional` (PSS)
    once in all.
    """

    cpu: float
    resident: int
    proportional: int


@dataclass(frozen=True, slots=True)
class Round:
    """One measurement of one step: its load, and every process while it ran.

    `ceilings` are rates that the machine reached just before and after (their mean), by name:
    LIMIT, and HASHES where passwords are verified. Only they tell what a rate is worth, because
    a machine is not equally fast all the time.
    """

    load: Load
    usage: Mapping[str, Usage] = field(default_factory=dict)
    ceilings: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Result:
    """One step with all its rounds; the round with the median rate speaks for it."""

    name: str
    title: str
    rounds: tuple[Round, ...]

    @property
    def typical(self) -> Round:
        rate = median([one.load.rate for one in self.rounds])
        return next(one for one in self.rounds if one.load.rate == rate)

    @property
    def rate(self) -> float:
        return self.typical.load.rate

    @property
    def errors(self) -> int:
        """Of all rounds together: no error may hide behind a median."""
        return sum(one.load.errors for one in self.rounds)

    def share(self, ceiling: str) -> float | None:
        """The median of the rounds' rates as a share of that ceiling; None without one."""
        shares = [
            one.load.rate / one.ceilings[ceiling]
            for one in self.rounds
            if one.ceilings.get(ceiling)
        ]
        return median(shares) if shares else None


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of every process at one moment: name -> (resident, proportional)."""

    processes: Mapping[str, tuple[int, int]]

    @property
    def resident(self) -> int:
        return sum(resident for resident, _ in self.processes.values())

    @property
    def proportional(self) -> int:
        return sum(proportional for _, proportional in self.processes.values())

    def only(self, names: Collection[str]) -> Memory:
        """Of these processes."""
        return Memory({name: one for name, one in self.processes.items() if name in names})

    def without(self, names: Collection[str]) -> Memory:
        """Of all other processes."""
        return Memory({name: one for name, one in self.processes.items() if name not in names})


@dataclass(frozen=True, slots=True)
class Observability:
    """The same load with and without observability, in pairs of rounds, and both at rest.

    `idle` and `idle_without` tell what every process uses while nobody asks for anything.
    """

    loads: tuple[Load, ...]
    loads_without: tuple[Load, ...]
    idle: Mapping[str, Usage] = field(default_factory=dict)
    idle_without: Mapping[str, Usage] = field(default_factory=dict)

    @property
    def lost(self) -> float:
        """The part of the rate that it costs: the median of the pairs; below 0 is noise."""
        pairs = zip(self.loads, self.loads_without, strict=True)
        return median([(without.rate - found.rate) / without.rate for found, without in pairs])

    @property
    def idle_cpu(self) -> float:
        """Percent of a core at rest: its own processes, and what the others do more for it."""
        return sum(one.cpu for one in self.idle.values()) - sum(
            one.cpu for one in self.idle_without.values()
        )

    @property
    def memory(self) -> Memory:
        """What every process held at rest."""
        return Memory({name: (one.resident, one.proportional) for name, one in self.idle.items()})


@dataclass(frozen=True, slots=True)
class Growth:
    """The same list page, at random places deep inside, with few and with many posts.

    Times are medians in milliseconds on one connection.
    """

    few: int
    many: int
    few_ms: float
    many_ms: float

    @property
    def ratio(self) -> float:
        return self.many_ms / self.few_ms


@dataclass(frozen=True, slots=True)
class Report:
    """Everything of one run. Times in seconds; what was not measured is None or absent.

    `idle` is the memory after the start, `loaded` the most while steps ran; `optional` names the
    processes that only observe, which the platform serves without.
    """

    results: Mapping[str, Result]
    first_start: float | None = None
    second_start: float | None = None
    idle: Memory | None = None
    loaded: Memory | None = None
    growth: Growth | None = None
    observability: Observability | None = None
    optional: frozenset[str] = frozenset()

    def share(self, name: str, ceiling: str = LIMIT) -> float | None:
        """Rate of a step as a share of a ceiling; None when one of them was not measured."""
        step = self.results.get(name)
        return step.share(ceiling) if step is not None else None

    @property
    def busiest(self) -> Memory | None:
        """The moment with the most memory of the platform itself, shared pages counted once."""
        held = [one.without(self.optional) for one in (self.idle, self.loaded) if one is not None]
        return max(held, key=lambda one: one.proportional, default=None)

    @property
    def observing(self) -> Memory | None:
        """The moment at which the processes that only observe held most; None without them."""
        rested = self.observability.memory if self.observability else None
        moments = (one for one in (self.idle, self.loaded, rested) if one is not None)
        held = [one.only(self.optional) for one in moments]
        busiest = max(held, key=lambda one: one.proportional, default=None)
        return busiest if busiest is not None and busiest.processes else None
