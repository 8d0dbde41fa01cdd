"""The course of a benchmark: start, fill, measure in rounds, start again."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from titanium.bench import content, hashing, mixed, usage
from titanium.bench.content import Content, Requests
from titanium.bench.instance import Instance
from titanium.bench.model import (
    HASHES,
    MIXED,
    OBSERVABILITY,
    Growth,
    Load,
    Memory,
    Observability,
    Report,
    Result,
    Round,
    median,
)
from titanium.bench.observe import Watch
from titanium.bench.steps import LOGIN, Step, chosen, sequence, with_ceilings
from titanium.bench.wrk import Shot, Wrk, fire

POSTS = 50_000
FEW, MANY = 1_000, 1_000_000
_WARM_UP = 2.0
_OBSERVED_CONNECTIONS = 32
_MIXED_TITLE = "mixed traffic, 100 requests a second"


class Watcher(Protocol):
    """Hears what is being done, for people."""

    def begin(self, what: str) -> None:
        """The next piece of work."""

    def measured(self, result: str) -> None:
        """What the piece of work that began last found."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What to measure: `seconds` a step and round, `only` the steps named (all when empty),
    with `million` also the list page with a million posts."""

    seconds: float = 5.0
    rounds: int = 3
    only: tuple[str, ...] = ()
    million: bool = False
    posts: int = POSTS

    @property
    def mixed(self) -> bool:
        return not self.only or MIXED in self.only

    @property
    def observability(self) -> bool:
        return not self.only or OBSERVABILITY in self.only

    @property
    def works(self) -> int:
        """How many pieces of work `Bench.measure` announces."""
        return (
            3
            + self.rounds * len(sequence(chosen(self.only)))
            + (self.rounds if self.mixed else 0)
            + (4 if self.million else 0)
            + (2 * self.rounds if self.observability else 0)
        )


@dataclass(slots=True)
class Bench:
    """One run on one instance, which the caller stops."""

    instance: Instance
    wrk: Wrk
    wish: Wish
    watcher: Watcher
    _folder: Path = field(init=False)
    _loaded: Memory | None = field(default=None, init=False)
    _posts: int = field(default=0, init=False)

    def measure(self) -> Report:
        """Everything that was wished for. TitaniumError when the platform or wrk fails."""
        with tempfile.TemporaryDirectory(prefix="titanium-bench-") as folder:
            self._folder = Path(folder)
            return self._measure()

    def _measure(self) -> Report:
        first_start = self._start("start with an empty state folder")
        idle, optional = usage.memory(self.instance.processes()), self.instance.optional()
        few_ms = self._page_time(self._fill(FEW)) if self.wish.million else None
        held = self._fill(self.wish.posts)
        results = self._rounds(held)
        if self.wish.mixed:
            results[MIXED] = self._mixed(held)
        growth = None
        if few_ms is not None:
            growth = Growth(FEW, MANY, few_ms, self._page_time(self._fill(MANY)))
        self.instance.down()
        second_start = self._start("start a second time")
        observability = None
        if self.wish.observability:
            self.instance.down()
            observability = self._observability(held)
        return Report(
            results=results,
            first_start=first_start,
            second_start=second_start,
            observability=observability,
            optional=optional,
            idle=idle,
            loaded=self._loaded,
            growth=growth,
        )

    def _start(self, what: str) -> float:
        self.watcher.begin(what)
        seconds = self.instance.up()
        self.watcher.measured(f"{seconds:.1f} s")
        return seconds

    def _fill(self, posts: int) -> Content:
        """Bring the platform to `posts` posts, and look at what it holds."""
        self.watcher.begin(f"write posts until there are {posts:,}")
        self.instance.add_posts(posts - self._posts)
        self._posts = posts
        held = asyncio.run(content.prepare(self.instance.port, posts))
        self.watcher.measured("done")
        return held

    def _rounds(self, held: Content) -> dict[str, Result]:
        """Results by step."""
        steps = chosen(self.wish.only)
        rounds: dict[str, list[Round]] = {step.name: [] for step in steps}
        for number in range(1, self.wish.rounds + 1):
            held = asyncio.run(content.log_in_again(self.instance.port, held))
            requests = Requests(held, number)
            if number == 1 and steps:
                self._fire(steps[0], requests, _WARM_UP)
            measured = [(step, self._step(step, requests, number)) for step in sequence(steps)]
            for name, found in with_ceilings(measured):
                rounds[name].append(found)
        return {
            step.name: Result(step.name, step.title, tuple(rounds[step.name])) for step in steps
        }

    def _step(self, step: Step, requests: Requests, number: int) -> Round:
        """One step once; with the rate of bare hashing around it where passwords are verified."""
        title = f"{number}/{self.wish.rounds} {step.title}"
        load = self._firing(step, requests)
        if step.name != LOGIN:
            return self._round(title, load)
        before = hashing.hashes_per_second(self.wish.seconds / 2)
        found = self._round(title, load)
        after = hashing.hashes_per_second(self.wish.seconds / 2)
        return replace(found, ceilings={HASHES: (before + after) / 2})

    def _firing(self, step: Step, requests: Requests) -> Callable[[], Load]:
        return lambda: self._fire(step, requests, self.wish.seconds)

    def _fire(self, step: Step, requests: Requests, seconds: float) -> Load:
        shot = Shot(step.requests(requests), step.connections, seconds)
        return fire(self.wrk, self.instance.url, shot, self._folder)

    def _mixed(self, held: Content) -> Result:
        rounds = []
        for number in range(1, self.wish.rounds + 1):
            held = asyncio.run(content.log_in_again(self.instance.port, held))
            requests = Requests(held, 100 + number).mixed()
            ordered = mixed.schedule(requests, 2 * self.wish.seconds, number)
            title = f"{number}/{self.wish.rounds} {_MIXED_TITLE}"
            rounds.append(self._round(title, self._driving(ordered)))
        return Result(MIXED, _MIXED_TITLE, tuple(rounds))

    def _observability(self, held: Content) -> Observability:
        """Cached posts with and without it: no request needs a token or an account."""
        shot = Shot(Requests(held, 300).cached_post(), _OBSERVED_CONNECTIONS, self.wish.seconds)
        watch = Watch(
            instance=self.instance,
            fire=lambda: fire(self.wrk, self.instance.url, shot, self._folder),
            begin=self.watcher.begin,
            measured=self.watcher.measured,
        )
        return watch.compare(self.wish.rounds)

    def _driving(self, ordered: Sequence[bytes]) -> Callable[[], Load]:
        return lambda: asyncio.run(mixed.drive(self.instance.port, ordered))

    def _round(self, title: str, load: Callable[[], Load]) -> Round:
        """Apply `load` and watch every process meanwhile."""
        self.watcher.begin(title)
        pids = self.instance.processes()
        before = usage.snapshot(pids)
        seen = load()
        after = usage.snapshot(pids)
        held = usage.memory(pids)
        if self._loaded is None or held.proportional > self._loaded.proportional:
            self._loaded = held
        self.watcher.measured(in_words(seen))
        return Round(seen, usage.between(before, after, held))

    def _page_time(self, held: Content) -> float:
        """Milliseconds of one list page at a random place, the median of all rounds."""
        self.watcher.begin("list pages at random places")
        places = asyncio.run(content.cursors(self.instance.port, held))
        times = []
        for number in range(1, self.wish.rounds + 1):
            pages = Requests(held, 200 + number).uncached_list(places)
            shot = Shot(pages, 1, self.wish.seconds)
            times.append(fire(self.wrk, self.instance.url, shot, self._folder).p50)
        self.watcher.measured(f"{median(times):.2f} ms")
        return median(times)


def in_words(load: Load) -> str:
    """One line about a measurement."""
    errors = f", {load.errors} errors" if load.errors else ""
    return f"{load.rate:,.0f}/s, p95 {load.p95:.1f} ms{errors}"
