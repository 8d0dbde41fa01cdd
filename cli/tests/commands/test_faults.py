"""Slowing and failing a service on purpose."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from cli.tests.commands.support import answer, ask, until
from titanium.errors import UsageError
from titanium.supervise.protocol import FaultRequest, Request

if TYPE_CHECKING:
    from ..conftest import Program

pytestmark = pytest.mark.e2e

# Seconds; a timer of Envoy's may fire a millisecond early.
DELAYED = 0.39


@pytest.fixture(scope="module")
def watched(make_program: Callable[..., Program]) -> Program:
    """One with proxies that inject faults; what else observes a run may be missing."""
    program = make_program("one", "two")
    program.variables["TITANIUM_PROMETHEUS"] = program.variables["TITANIUM_ALERTMANAGER"] = "/none"
    program.up("--observability")
    return program


def test_a_fault_slows_or_fails_a_service_and_ends_in_time(watched: Program) -> None:
    slow = FaultRequest(delay_ms=400, seconds=5)
    (fault,) = ask(watched, Request("fault", "one", fault=slow)).faults
    assert (fault.service, fault.delay_ms) == ("one", 400)
    assert answer(watched)[1] >= DELAYED
    assert "100 % delayed by 400 ms" in watched.run("status").stdout
    assert answer(watched, "/api/two")[1] < DELAYED
    bad = FaultRequest(delay_ms=1, seconds=601)
    with pytest.raises(UsageError, match="seconds is 601"):
        ask(watched, Request("fault", "one", fault=bad))
    until(lambda: watched.status()["faults"] == [])
    assert answer(watched)[1] < DELAYED
    ask(watched, Request("fault", "one", fault=FaultRequest(abort_status=503, seconds=600)))
    assert answer(watched)[0] == 503
    ask(watched, Request("fault", "one", fault=FaultRequest(seconds=0)))
    assert answer(watched)[0] == 200


def test_a_fault_survives_the_sidecar_and_not_the_supervisor(watched: Program) -> None:
    """A sidecar that is started anew has it again; a new supervisor ends it."""
    fault = FaultRequest(delay_ms=400, seconds=600)
    ask(watched, Request("fault", "one", fault=fault))
    before = watched.pids()["one-0-sidecar"]
    ask(watched, Request("kill", "one-0-sidecar"))
    until(lambda: watched.pids()["one-0-sidecar"] not in (None, before))
    until(lambda: answer(watched)[1] >= DELAYED)
    # With this one the gateway is not ready: the new supervisor must not wait for that.
    ask(watched, Request("fault", "one", fault=FaultRequest(abort_status=503, seconds=600)))
    os.kill(watched.status()["supervisor"], signal.SIGKILL)
    watched.up("--observability")
    assert watched.status()["faults"] == []
    status, seconds = answer(watched)
    assert status == 200
    assert seconds < DELAYED
