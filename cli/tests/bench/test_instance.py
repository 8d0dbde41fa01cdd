"""The benchmark's own instance, its machine and its processes."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest

from cli.tests.bench.support import load
from titanium.bench import usage
from titanium.bench.hashing import cores
from titanium.bench.instance import raise_limits
from titanium.bench.machine import processor, program_version
from titanium.bench.model import Memory
from titanium.bench.run import in_words
from titanium.bench.usage import Snapshot, between
from titanium.mesh import load_policy
from titanium.mesh.policy import POLICY_FILE

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[3]


def test_rate_limits_are_raised_and_nothing_else_changes(tmp_path: Path) -> None:
    text = (ROOT / POLICY_FILE).read_text("utf-8")
    before, after = tomllib.loads(text), tomllib.loads(raise_limits(text))
    limits = after.pop("limits")
    assert set(limits) == set(before.pop("limits"))
    assert after == before
    for limit in limits.values():
        assert limit == {"requests": 1_000_000, "per_seconds": 1, "burst": 1_000_000}


def test_the_raised_policy_is_accepted(tmp_path: Path) -> None:
    file = tmp_path / POLICY_FILE
    file.parent.mkdir()
    file.write_text(raise_limits((ROOT / POLICY_FILE).read_text("utf-8")))
    assert load_policy(tmp_path).limits["login"].burst == 1_000_000


def test_processor_time_is_percent_of_one_core() -> None:
    held = Memory({"blog-0": (10, 5), "new": (1, 1)})
    before = Snapshot(100.0, {"blog-0": 7.0})
    found = between(before, Snapshot(104.0, {"blog-0": 9.0, "new": 0.4}), held)
    assert found["blog-0"].cpu == 50.0
    assert (found["blog-0"].resident, found["blog-0"].proportional) == (10, 5)
    assert found["new"].cpu == pytest.approx(10.0)


def test_a_process_that_was_replaced_has_not_used_less_than_nothing() -> None:
    held = Memory({"blog-0": (1, 1)})
    found = between(Snapshot(0.0, {"blog-0": 9.0}), Snapshot(1.0, {"blog-0": 0.5}), held)
    assert found["blog-0"].cpu == 0.0


def test_a_parent_does_not_count_children_that_have_a_name() -> None:
    """The supervisor started everything; its own memory is all that it answers for."""
    me = os.getpid()
    alone = usage.memory({"me": me}).processes["me"]
    beside = usage.memory({"me": me, "parent": os.getppid()}).processes
    assert alone[0] > 0
    assert alone[1] > 0
    assert beside["me"][0] == pytest.approx(alone[0], rel=0.2)


def test_a_process_that_is_gone_uses_nothing() -> None:
    gone = {"gone": 2**22 + 1}
    assert usage.memory(gone).processes == {"gone": (0, 0)}
    assert usage.snapshot(gone).cpu == {"gone": 0.0}


def test_the_processors_name_is_read_and_its_absence_survived() -> None:
    assert processor("processor\t: 0\nmodel name\t: Some CPU\n") == "Some CPU"
    assert processor("").startswith("unknown (")


def test_a_program_that_cannot_tell_its_version_is_unknown(tmp_path: Path) -> None:
    assert program_version(tmp_path / "missing") == "unknown"


def test_there_is_a_core_to_measure_on() -> None:
    assert cores() >= 1


def test_errors_are_told_at_once() -> None:
    assert in_words(load(1000)) == "1,000/s, p95 10.0 ms"
    assert in_words(load(1000, refused=3)) == "1,000/s, p95 10.0 ms, 3 errors"
