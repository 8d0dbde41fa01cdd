"""Which scenarios there are, how many users they have when, and how they are paced."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from titanium.commands import load as command
from titanium.load.model import Thresholds
from titanium.load.pace import Pace
from titanium.load.scenario import PEAK, RATE, REQUESTS, SCENARIOS, STEPS, THINK
from titanium.load.target import SETTING
from titanium.mesh import load_policy

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.unit
def test_the_command_offers_exactly_the_scenarios_that_there_are() -> None:
    assert tuple(SCENARIOS) == command.SCENARIOS
    assert Thresholds() == Thresholds(command.P95_MS, command.ERROR_PERCENT)
    assert command.SETTING == SETTING


@pytest.mark.unit
def test_requests_and_their_checks_have_names_of_their_own() -> None:
    assert len({one.name for one in REQUESTS}) == len({one.check for one in REQUESTS})
    assert len({one.name for one in REQUESTS}) == len(REQUESTS)


@pytest.mark.unit
def test_the_usual_rate_is_below_the_platforms_limits() -> None:
    limits = load_policy(ROOT).limits
    for name in ("read", "write"):
        assert limits[name].requests / limits[name].per_seconds > RATE
    # So are as many users as the steps have, without any other bound: k6 knows none.
    assert PEAK / (sum(THINK) / 2) < limits["read"].requests / limits["read"].per_seconds
    for scenario in SCENARIOS.values():
        assert 2 * scenario.accounts <= limits["login"].burst


@pytest.mark.unit
def test_steps_grow_to_a_tenth_half_and_all_of_the_users() -> None:
    steps = SCENARIOS["steps"]
    seconds = steps.seconds
    assert seconds == sum(length for length, _ in STEPS)
    ends = [sum(length for length, _ in STEPS[: place + 1]) - 0.001 for place in range(len(STEPS))]
    assert [steps.users_at(end, 100, seconds) for end in ends] == [10, 10, 50, 50, 100, 100]
    assert steps.users_at(0, 100, seconds) == 1
    assert steps.users_at(seconds + 1, 100, seconds) == 100
    # Half as long with a fifth of the users.
    assert [steps.users_at(end / 2, 20, seconds / 2) for end in ends] == [2, 2, 10, 10, 20, 20]


@pytest.mark.unit
def test_other_scenarios_have_their_users_from_the_beginning() -> None:
    assert {SCENARIOS["mixed"].users_at(t, 7, 30) for t in (0, 15, 31)} == {7}


@pytest.mark.unit
def test_everybody_gets_a_moment_of_their_own() -> None:
    """Five callers at once are a fifth of a second apart at five a second; none is saved up."""
    now = [100.0]
    slept: list[float] = []
    pace = Pace(5.0, clock=lambda: now[0], sleep=slept.append)
    for _ in range(4):
        pace.wait()
    assert slept == pytest.approx([0.2, 0.4, 0.6])
    now[0] += 60
    slept.clear()
    for _ in range(3):
        pace.wait()
    assert slept == pytest.approx([0.2, 0.4])


def run_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.integration
def test_the_command_line_never_imports_locust() -> None:
    """It would replace the sockets and threads of everything else in the process."""
    run_python(
        "import sys\n"
        "from titanium.commands import load\n"
        "from titanium.load import model, pace, scenario, show, target, watch\n"
        "assert not {'gevent', 'locust'} & set(sys.modules)"
    )


@pytest.mark.integration
def test_visitors_can_do_what_the_scenarios_want() -> None:
    said = run_python(
        "from titanium.load.visitor import Visitor\n"
        "from titanium.load.scenario import SCENARIOS\n"
        "names = {name for one in SCENARIOS.values() for name in one.actions}\n"
        "print(sorted(name for name in names if not callable(getattr(Visitor, name, None))))"
    )
    assert said == "[]\n"
