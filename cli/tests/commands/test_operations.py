"""Stopping, starting and killing parts of a running platform."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cli.tests.commands.support import answer, ask, until
from titanium.errors import EXIT_NOT_RUNNING, EXIT_UNHEALTHY, EXIT_USAGE, UsageError
from titanium.supervise.protocol import FaultRequest, Request

if TYPE_CHECKING:
    from ..conftest import Program

pytestmark = pytest.mark.e2e


def test_a_stopped_service_is_answered_for_by_its_sidecar_until_it_is_started(
    running: Program,
) -> None:
    said = running.run("stop", "one").stdout
    assert "titanium start one" in said
    done = running.run("status", code=EXIT_UNHEALTHY)
    assert "stopped" in done.stdout
    assert "one-0-sidecar" in running.pids()
    assert answer(running)[0] == 503
    assert answer(running, "/api/two")[0] == 200
    running.run("start", "one")
    assert running.status()["state"] == "healthy"
    assert answer(running)[0] == 200
    before = running.pids()
    running.run("start", "one")
    assert running.pids() == before, "what runs is left as it is"


def test_a_process_can_be_stopped_and_up_starts_it(running: Program) -> None:
    running.run("stop", "redis")
    found = {one["name"]: one for one in running.status()["processes"]}
    assert (found["redis"]["state"], found["redis"]["pid"]) == ("stopped", None)
    running.up()
    assert running.status()["state"] == "healthy"


def test_a_killed_process_is_started_again(running: Program) -> None:
    before = running.pids()["two-0"]
    ask(running, Request("kill", "two-0"))
    until(lambda: running.status()["state"] == "healthy")
    assert running.pids()["two-0"] != before


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (Request("kill", "nothing"), "there is no service 'nothing'"),
        (Request("fault", "gateway", fault=FaultRequest(delay_ms=1)), "no service 'gateway'"),
        (Request("fault", "one", fault=FaultRequest(delay_ms=1)), "without observability"),
        (Request("stop_service", "supervisor"), "stopped with the platform"),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(
    running: Program, request_: Request, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        ask(running, request_)


def test_stopping_what_does_not_exist_names_what_does(running: Program) -> None:
    done = running.run("stop", "nothing", code=EXIT_USAGE)
    assert "one, two" in done.stderr


def test_without_a_platform_nothing_can_be_stopped(stopped: Program) -> None:
    running = stopped.run("stop", "one", code=EXIT_NOT_RUNNING)
    assert "titanium up -d" in running.stderr
