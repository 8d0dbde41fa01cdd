"""Plans are checked when they are made, and tell when a process has to be restarted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from titanium.errors import ConfigurationError
from titanium.supervise.backoff import LONGEST, STEADY, Backoff
from titanium.supervise.spec import HttpProbe, Plan, ProcessSpec, TaskSpec, levels

pytestmark = pytest.mark.unit


def process(name: str, *needs: str) -> ProcessSpec:
    return ProcessSpec(
        name=name,
        kind="app",
        argv=("true",),
        folder=Path("/tmp"),
        log=Path("/tmp/log"),
        probe=HttpProbe("/", port=1),
        needs=needs,
    )


def task(name: str, *needs: str) -> TaskSpec:
    return TaskSpec(name=name, argv=("true",), folder=Path("/tmp"), log=Path("/l"), needs=needs)


def test_every_step_is_deeper_than_what_it_needs() -> None:
    found = levels([process("c", "b"), process("a"), task("b", "a"), process("d", "a")])
    assert found == {"a": 0, "b": 1, "c": 2, "d": 1}


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([process("a", "b")], "a needs b, which does not exist"),
        ([process("a", "b"), process("b", "a")], "need each other"),
        ([process("a"), process("a")], "two steps are called a"),
    ],
)
def test_a_plan_that_cannot_be_carried_out_is_refused(steps: list[ProcessSpec], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        Plan(tuple(steps))


def test_the_configuration_hash_follows_command_environment_and_input_files(
    tmp_path: Path,
) -> None:
    file = tmp_path / "x.conf"
    file.write_text("a")
    spec = replace(process("a"), inputs=(file,))
    before = spec.configuration_hash()
    assert spec.configuration_hash() == before
    assert replace(spec, argv=("false",)).configuration_hash() != before
    assert replace(spec, env={"X": "1"}).configuration_hash() != before
    assert replace(spec, ports=(5,)).configuration_hash() != before
    file.write_text("b")
    assert spec.configuration_hash() != before


def test_the_configuration_hash_ignores_what_only_the_supervisor_uses() -> None:
    spec = process("a")
    assert replace(spec, stop_within=1.0, hint="x").configuration_hash() == (
        spec.configuration_hash()
    )


def test_the_first_restart_is_immediate_and_later_ones_wait_longer() -> None:
    backoff = Backoff()
    waits = [backoff.next(1.0) for _ in range(8)]
    assert waits == [0, 0.5, 1, 2, 4, 8, LONGEST, LONGEST]


def test_a_crash_after_a_steady_run_counts_as_the_first() -> None:
    backoff = Backoff()
    for _ in range(5):
        backoff.next(0.1)
    assert backoff.next(STEADY) == 0
