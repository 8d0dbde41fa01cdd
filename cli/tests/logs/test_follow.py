"""A tail shows every new line once, while logs are cut, renamed, created and half written."""

from __future__ import annotations

import os

import pytest

from cli.tests.logs.conftest import Logs, entry
from titanium.logs import LogFolder, Query, Tail, levels_from
from titanium.logs.reading import LONGEST

pytestmark = pytest.mark.unit


def polled(tail: Tail) -> list[str]:
    return [line.event for line in tail.poll()]


def test_only_new_whole_matching_lines_are_shown(logs: Logs) -> None:
    logs.write("blog-0.log", entry(1, "old", "error"))
    with LogFolder(logs.folder).follow(Query(levels=levels_from("error"))) as tail:
        assert polled(tail) == []
        logs.write("blog-0.log", entry(2, "info"), entry(3, "b", "error"))
        logs.write("blog-0.log", entry(4, "half", "error")[:30], end=b"")
        assert polled(tail) == ["b"]
        logs.write("blog-0.log", entry(4, "half", "error")[30:])
        assert polled(tail) == ["half"]
        assert polled(tail) == []


def test_a_log_that_was_cut_is_read_from_its_beginning(logs: Logs) -> None:
    logs.write("blog-0.log", *(entry(n) for n in range(100)))
    with LogFolder(logs.folder).follow(Query()) as tail:
        os.truncate(logs.folder / "blog-0.log", 0)
        logs.write("blog-0.log", entry(1, "after"))
        assert polled(tail) == ["after"]


def test_a_log_that_was_renamed_is_read_to_its_end(logs: Logs) -> None:
    path = logs.folder / "gateway-access.log"
    logs.write(path.name, entry(0))
    with LogFolder(logs.folder).follow(Query()) as tail:
        path.rename(f"{path}.1")
        logs.write("gateway-access.log.1", entry(1, "last in the old"))
        assert polled(tail) == []
        logs.write(path.name, entry(2, "first in the new"))
        assert polled(tail) == ["last in the old", "first in the new"]


def test_a_log_that_appears_is_read_from_its_beginning(logs: Logs) -> None:
    with LogFolder(logs.folder).follow(Query(services=frozenset({"blog"}))) as tail:
        logs.write("blog-1.log", entry(1, "a"))
        logs.write("auth-0.log", entry(1, "other"))
        assert polled(tail) == ["a"]
        (logs.folder / "blog-1.log").unlink()
        assert polled(tail) == []


def test_a_line_without_end_is_cut_and_its_rest_left_out(logs: Logs) -> None:
    with LogFolder(logs.folder).follow(Query()) as tail:
        logs.write("blog-0.log", b"x" * (2 * LONGEST + 5), end=b"")
        assert [len(line.raw) for line in tail.poll()] == [LONGEST]
        assert tail.behind
        assert polled(tail) == []
        logs.write("blog-0.log", b"rest", entry(1, "next"))
        assert polled(tail) == ["next"]


def test_a_reader_that_is_far_behind_is_told_and_goes_on_near_the_end(logs: Logs) -> None:
    with LogFolder(logs.folder).follow(Query(), most_behind=2 * LONGEST) as tail:
        logs.write("blog-0.log", *(entry(n, f"{n}") for n in range(50_000)))
        found = []
        while lines := tail.poll():
            found += lines
        assert "left out" in next(line.event for line in found if line.level == "warning")
        assert found[-2].event == "49999" or found[-1].event == "49999"
        assert len(found) < 30_000


def test_everything_is_read_in_parts(logs: Logs) -> None:
    with LogFolder(logs.folder).follow(Query()) as tail:
        logs.write("blog-0.log", *(entry(n, f"{n}") for n in range(30_000)))
        found = polled(tail)
        assert tail.behind
        while tail.behind:
            found += polled(tail)
        assert found == [f"{n}" for n in range(30_000)]
