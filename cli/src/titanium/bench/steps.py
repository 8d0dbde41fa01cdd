"""The steps of a round: what is asked for, and over how many connections."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from titanium.bench.content import Requests
from titanium.bench.model import LIMIT, MIXED, OBSERVABILITY, Round

LOGIN = "login"


@dataclass(frozen=True, slots=True)
class Step:
    """One kind of load."""

    name: str
    title: str
    connections: int
    requests: Callable[[Requests], Sequence[bytes]]


STEPS = (
    Step(LIMIT, "limit: gateway, mTLS, answered by the sidecar", 32, Requests.limit),
    Step("cached-post", "post from the cache", 32, Requests.cached_post),
    Step("cached-list", "list of 20 posts from the cache", 32, Requests.cached_list),
    Step("uncached-post", "post from the database", 32, Requests.uncached_post),
    Step("search", "search, first 20 matches, from the database", 16, Requests.search),
    Step("create", "create a post, durable", 64, Requests.create),
    Step(LOGIN, "log in", 8, Requests.login),
)
NAMES = (*(step.name for step in STEPS), MIXED, OBSERVABILITY)
# Measured in ways of their own, without the limit around them.
_APART = frozenset((MIXED, OBSERVABILITY))


def chosen(only: Sequence[str]) -> tuple[Step, ...]:
    """The steps to run: all, or those named and always the limit that they are compared with."""
    wanted = {*only, LIMIT} if set(only) - _APART else set(only)
    return tuple(step for step in STEPS if not only or step.name in wanted)


def sequence(steps: Sequence[Step]) -> list[Step]:
    """The order within a round: the limit first, last, and between every two others."""
    limits = [step for step in steps if step.name == LIMIT]
    ordered = list(limits)
    for number, step in enumerate((step for step in steps if step.name != LIMIT), 1):
        ordered.append(step)
        if number % 2 == 0:
            ordered += limits
    return ordered if ordered[-1:] == limits else [*ordered, *limits]


def with_ceilings(measured: Sequence[tuple[Step, Round]]) -> list[tuple[str, Round]]:
    """Names and rounds in order, each with the mean of the limits measured around it."""
    rates = [found.load.rate if step.name == LIMIT else None for step, found in measured]
    completed = []
    for place, (step, found) in enumerate(measured):
        before = next((rate for rate in rates[place::-1] if rate is not None), None)
        after = next((rate for rate in rates[place:] if rate is not None), None)
        around = [rate for rate in (before, after) if rate is not None]
        ceilings = {LIMIT: sum(around) / len(around)} if around else {}
        completed.append((step.name, replace(found, ceilings={**found.ceilings, **ceilings})))
    return completed
