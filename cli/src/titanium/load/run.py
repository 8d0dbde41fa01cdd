"""One load test inside Locust: what its visitors share, and what it found."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from locust.contrib.fasthttp import FastHttpSession
from locust.env import Environment
from locust.stats import StatsEntry

from titanium.errors import TitaniumError
from titanium.load.accounts import Accounts
from titanium.load.client import Client
from titanium.load.model import Checks, Order, Progress, Row, Summary
from titanium.load.pace import Pace
from titanium.load.scenario import LIMITED, LOGIN_RATE, SCENARIOS
from titanium.load.target import is_loopback

# Requests of one session of the scenario `login`, of which one is a login.
_SESSION = 4
_PROBLEMS = 10
_ERROR_WORDS = 200


class Run:
    """Shared by all visitors of a test. `problem` is why it could not begin."""

    def __init__(self, order: Order, tell: Callable[[str], None] = lambda _phase: None) -> None:
        self.order = order
        self.scenario = SCENARIOS[order.scenario]
        self.pace = Pace(order.rate)
        self.login_pace = Pace(LOGIN_RATE if order.thinking else order.rate / _SESSION)
        self.checks = Checks()
        self.accounts = Accounts(self.scenario.accounts, tell)
        self.ready = threading.Event()
        self.stopping = threading.Event()
        self.problem: TitaniumError | None = None
        self.notes: tuple[str, ...] = ()
        self.most_users = 0
        self._tell = tell
        self._began = time.monotonic()
        self._ended = 0.0

    def attach(self, environment: Environment) -> None:
        """Have Locust make the accounts before the first visitor, and delete them at the end."""
        environment.events.test_start.add_listener(self._begin)
        environment.events.test_stop.add_listener(self._end)

    def _begin(self, environment: Environment, **_: Any) -> None:
        if self.scenario.accounts:
            self._tell("making accounts")
        try:
            self.accounts.prepare(self._client(environment))
        except TitaniumError as error:
            self.problem = error
        self._began = time.monotonic()
        self.ready.set()
        if self.problem is not None:
            # Nobody may visit without accounts: stay here until Locust is stopped.
            threading.Event().wait()

    def _end(self, environment: Environment, **_: Any) -> None:
        self._ended = time.monotonic()
        if self.scenario.accounts:
            self._tell("deleting what was written")
        self.notes = self.accounts.clean_up(self._client(environment))

    def _client(self, environment: Environment) -> Client:
        session = FastHttpSession(
            base_url=environment.host,
            request_event=environment.events.request,
            user=None,
            insecure=is_loopback(environment.host or ""),
            network_timeout=10.0,
            connection_timeout=5.0,
        )
        return Client(session, self)

    @property
    def elapsed(self) -> float:
        """Seconds since the first visitor."""
        return (self._ended or time.monotonic()) - self._began

    def progress(self, environment: Environment) -> Progress:
        runner, total = environment.runner, _answered(environment)
        users = runner.user_count if runner is not None else 0
        self.most_users = max(self.most_users, users)
        return Progress(
            phase="running",
            elapsed=self.elapsed,
            users=users,
            requests=total.num_requests,
            failures=total.num_failures,
            limited=_limited(environment),
            p95=total.get_response_time_percentile(0.95),
        )

    def summary(self, environment: Environment, *, interrupted: bool = False) -> Summary:
        """What the test found; errors of the scenario's own code are among the problems."""
        stats, runner = environment.stats, environment.runner
        problems = {
            f"{one.method} {one.name}: {_words(one.error)}": one.occurrences
            for one in stats.errors.values()
        }
        if runner is not None:
            for one in runner.exceptions.values():
                problems[f"in the scenario: {one['msg'][:_ERROR_WORDS]}"] = one["count"]
        entries = [one for one in stats.entries.values() if one.name != LIMITED]
        return Summary(
            total=self._row(_answered(environment), "all"),
            seconds=self.elapsed,
            users=self.most_users,
            limited=_limited(environment),
            rows=tuple(self._row(one, one.name) for one in sorted(entries, key=_order)),
            checks=self.checks.result(),
            problems=tuple(sorted(problems.items(), key=lambda one: -one[1])[:_PROBLEMS]),
            notes=self.notes,
            interrupted=interrupted,
        )

    def _row(self, entry: StatsEntry, name: str) -> Row:
        p50, p95, p99 = (float(entry.get_response_time_percentile(q)) for q in (0.5, 0.95, 0.99))
        rate = entry.num_requests / max(self.elapsed, 0.001)
        return Row(name, entry.num_requests, entry.num_failures, rate, p50, p95, p99)


def _answered(environment: Environment) -> StatsEntry:
    """Everything but refusals by the rate limit, in one entry."""
    total = StatsEntry(environment.stats, "all", "")
    for entry in environment.stats.entries.values():
        if entry.name != LIMITED:
            total.extend(entry)
    return total


def _limited(environment: Environment) -> int:
    found = (one for one in environment.stats.entries.values() if one.name == LIMITED)
    return sum(one.num_requests for one in found)


def _order(entry: StatsEntry) -> tuple[int, str]:
    return -entry.num_requests, entry.name


def _words(error: object) -> str:
    text = str(error.args[0]) if isinstance(error, Exception) and error.args else str(error)
    return text[:_ERROR_WORDS]
