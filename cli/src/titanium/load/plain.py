"""For a locustfile: what the program `locust` needs to run our scenarios by itself."""

from __future__ import annotations

import os
import sys
from typing import Any

import gevent
from locust import LoadTestShape, events
from locust.env import Environment

from titanium.load.model import Order, Thresholds, judge
from titanium.load.run import Run
from titanium.load.scenario import SCENARIOS, Scenario
from titanium.load.visitor import Visitor, visitor_class

SETTING = "TITANIUM_LOAD_SCENARIO"


def scenario() -> Scenario:
    """The one that TITANIUM_LOAD_SCENARIO names; ends the program when there is none."""
    name = os.environ.get(SETTING, "mixed")
    known = [one.name for one in SCENARIOS.values() if not one.endless]
    if name not in known:
        sys.exit(f"error: {SETTING}={name}: unknown scenario; use one of {', '.join(known)}")
    return SCENARIOS[name]


def steps() -> bool:
    """Whether the scenario changes the number of users by itself."""
    return bool(scenario().steps)


def visitor() -> type[Visitor]:
    """The user class; its run is prepared, cleaned up and judged with Locust's events."""
    chosen = scenario()
    run = Run(Order(chosen.name, "", chosen.users, chosen.rate, chosen.seconds))

    def attach(environment: Environment, **_: Any) -> None:
        run.attach(environment)

    def give_up(environment: Environment, **_: Any) -> None:
        def watch() -> None:
            run.ready.wait()
            if run.problem is not None and environment.runner is not None:
                print(f"{run.problem.message}\n{run.problem.hint}")  # noqa: T201
                environment.process_exit_code = 1
                environment.runner.quit()

        gevent.spawn(watch)

    def leave(environment: Environment, **_: Any) -> None:
        verdicts = judge(run.summary(environment), Thresholds())
        for one in verdicts:
            word = "met" if one.met else "missed"
            print(f"{one.title}: {one.measured} ({one.bound}): {word}")  # noqa: T201
        environment.process_exit_code = 0 if all(one.met for one in verdicts) else 1

    events.init.add_listener(attach)
    events.test_start.add_listener(give_up)
    events.quitting.add_listener(leave)
    return visitor_class(run)


class Steps(LoadTestShape):
    """The number of users of the scenario `steps`, second by second."""

    abstract = True

    def tick(self) -> tuple[int, float] | None:
        """Users and how many may come each second; None at the end."""
        chosen = SCENARIOS["steps"]
        runner = self.runner
        classes = runner.user_classes if runner else []
        visitors = [one for one in classes if issubclass(one, Visitor)]
        if not all(one.run_of.ready.is_set() for one in visitors):
            # Another number of users would begin the test, and so its accounts, once more.
            self.reset_time()  # type: ignore[no-untyped-call]
        elapsed = float(self.get_run_time())  # type: ignore[no-untyped-call]
        if elapsed >= chosen.seconds:
            return None
        return chosen.users_at(elapsed, chosen.users, chosen.seconds), 20.0
