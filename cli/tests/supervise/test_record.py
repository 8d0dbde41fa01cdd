"""The record names exactly the processes that still run."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from titanium.supervise import procfs, record
from titanium.supervise.record import Entry

pytestmark = pytest.mark.unit


def entry(name: str = "a", pid: int | None = None, ticks: int | None = None) -> Entry:
    pid = os.getpid() if pid is None else pid
    return Entry(
        name=name,
        pid=pid,
        ticks=procfs.start_ticks(os.getpid()) or 0 if ticks is None else ticks,
        configuration="abc",
        level=1,
        stop_signal=15,
        stop_within=3.0,
        ports=(1, 2),
    )


def test_a_live_process_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    record.save(path, {"a": entry()})
    assert record.load(path) == {"a": entry()}
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_pid_that_belongs_to_another_process_by_now_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    record.save(path, {"a": entry(ticks=1), "b": entry("b", pid=4_000_000)})
    assert record.load(path) == {}


def test_a_record_of_an_earlier_boot_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    record.save(path, {"a": entry()})
    body = json.loads(path.read_text())
    path.write_text(json.dumps({**body, "boot": "another"}))
    assert record.load(path) == {}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"boot": 1}', '{"processes": [{"x": 1}]}'])
def test_a_damaged_or_missing_record_is_empty(tmp_path: Path, text: str) -> None:
    path = tmp_path / "record.json"
    assert record.load(path) == {}
    path.write_text(text)
    assert record.load(path) == {}
