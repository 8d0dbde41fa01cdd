"""The steps of a round: what is asked for, and over how many connections."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from titanium.bench.content import Requests
from titanium.bench.model import LIMIT, MIXED


@dataclass(frozen=True, slots=True)
class Step:
    """One kind of load; `writes` need fresh tokens and change what the platform holds."""

    name: str
    title: str
    connections: int
    requests: Callable[[Requests], Sequence[bytes]]
    writes: bool = False


# The limit comes first in each round: the others are compared with it.
STEPS = (
    Step(LIMIT, "limit: gateway, mTLS, answered by the sidecar", 32, Requests.limit),
    Step("cached-post", "post from the cache", 32, Requests.cached_post),
    Step("cached-list", "list of 20 posts from the cache", 32, Requests.cached_list),
    Step("uncached-post", "post from the database", 32, Requests.uncached_post),
    Step("search", "search, first 20 matches, from the database", 16, Requests.search),
    Step("create", "create a post, durable", 64, Requests.create, writes=True),
    Step("login", "log in", 8, Requests.login, writes=True),
)
NAMES = (*(step.name for step in STEPS), MIXED)


def chosen(only: Sequence[str]) -> tuple[Step, ...]:
    """The steps to run: all, or those named and always the limit that they are compared with."""
    wanted = {*only, LIMIT} if set(only) - {MIXED} else set(only)
    return tuple(step for step in STEPS if not only or step.name in wanted)
