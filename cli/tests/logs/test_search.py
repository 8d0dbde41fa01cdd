"""A search finds the newest matching lines of all logs, in order, in bounded memory and time."""

from __future__ import annotations

import os
import threading

import pytest

from cli.tests.logs.conftest import START, Logs, entry
from titanium.logs import LogFolder, Query, levels_from
from titanium.logs.reading import CHUNK, LONGEST

pytestmark = pytest.mark.unit


def events(logs: Logs, query: Query, limit: int = 500) -> list[str]:
    return [line.event for line in LogFolder(logs.folder).search(query, limit).lines]


def test_logs_are_merged_by_time_and_the_newest_are_kept(logs: Logs) -> None:
    logs.write("blog-0.log", entry(1, "a"), entry(3, "c"), entry(5, "e"))
    logs.write("auth-0.log", entry(2, "b"), entry(4, "d"))
    result = LogFolder(logs.folder).search(Query(), limit=3)
    assert [line.event for line in result.lines] == ["c", "d", "e"]
    assert not result.complete
    assert LogFolder(logs.folder).search(Query(), limit=5).complete


def test_lines_of_one_moment_keep_their_order(logs: Logs) -> None:
    logs.write("blog-0.log", *(entry(1, f"{n}") for n in range(20)))
    assert events(logs, Query()) == [f"{n}" for n in range(20)]


def test_put_aside_logs_are_searched_too(logs: Logs) -> None:
    logs.write("blog-0.log", entry(3, "c"))
    logs.write("blog-0.log.1", entry(2, "b"))
    logs.write("blog-0.log.2", entry(1, "a"))
    logs.write(".blog-0.log.copy", entry(0, "half"))
    logs.write("notes.txt", "no log")
    assert events(logs, Query()) == ["a", "b", "c"]


def test_services_processes_levels_and_ids_select(logs: Logs) -> None:
    logs.write("blog-0.log", entry(1, "a", request_id="R1"), entry(2, "b", "error", trace_id="t"))
    logs.write("blog-0-sidecar.log", entry(3, "c", "warning"))
    logs.write("blog-comments-0.log", entry(4, "d", "critical"))
    assert events(logs, Query(services=frozenset({"blog"}))) == ["a", "b", "c"]
    assert events(logs, Query(services=frozenset({"blog-0"}))) == ["a", "b", "c"]
    assert events(logs, Query(processes=frozenset({"blog-0"}))) == ["a", "b"]
    assert events(logs, Query(levels=levels_from("warning"))) == ["b", "c", "d"]
    assert events(logs, Query(levels=frozenset({"info"}))) == ["a"]
    assert events(logs, Query(request_id="R1")) == ["a"]
    assert events(logs, Query(request_id="R")) == []
    assert events(logs, Query(trace_id="t", levels=frozenset({"error"}))) == ["b"]
    assert LogFolder(logs.folder).services() == ["blog", "blog-comments"]


def test_levels_are_found_in_every_format(logs: Logs) -> None:
    logs.write("postgres.log", "2026-11-20 03:00:01.0 UTC [1] PANIC:  p", "2026 WARNING")
    logs.write("redis.log", "1:M 20 Nov 2026 03:00:02.000 # v", "1:M 20 Nov 2026 03:00:02.001 * w")
    logs.write("gateway.log", "[2026-11-20 03:00:03.000][1][critical][main] e")
    logs.write("prometheus.log", "ts=2026-11-20T03:00:04.000Z level=error msg=l")
    logs.write("blog-0.log", "Traceback (most recent call last):", '{"level":"WARN","event":"j"}')
    found = events(logs, Query(levels=levels_from("warning")))
    assert sorted(found) == ["Traceback (most recent call last):", "e", "j", "l", "p", "v"]


@pytest.mark.parametrize(
    "text",
    ["Straße 7", "STRASSE", "한국어", 'say "hi"', "/api/posts", "É", "é", "tab\there", "a\\b"],
)
def test_text_is_found_in_any_case_whatever_the_writer_escaped(logs: Logs, text: str) -> None:
    logs.write("blog-0.log", entry(1, "one", path=f"x {text} y"))  # json.dumps: \uXXXX
    logs.write("blog-0.log", entry(2, "two").replace("two", f"two {text.swapcase()}"))
    logs.write("blog-0.log", entry(3, "three"))
    found = [line.ts - START for line in LogFolder(logs.folder).search(Query(text=text)).lines]
    assert 1 in found
    # Only the first line is written with escapes.
    if text.isprintable() and not {'"', "\\"} & set(text) and "ß" not in text:
        assert 2 in found
    assert 3 not in found


def test_times_limit_a_search_and_save_reading(logs: Logs) -> None:
    lines = [entry(n, f"{n}", filler="x" * 1000) for n in range(5000)]
    logs.write("blog-0.log", *lines)
    folder = LogFolder(logs.folder)
    result = folder.search(Query(since=START + 4990, until=START + 4995))
    assert [line.event for line in result.lines] == [f"{n}" for n in range(4990, 4996)]
    assert result.complete
    assert result.scanned_bytes < 3 * CHUNK


def test_a_line_without_a_time_belongs_to_the_line_before_it(logs: Logs) -> None:
    logs.write("blog-0.log", entry(1, "a"), "Traceback", "  File x", entry(9, "b"))
    logs.write("auth-0.log", entry(5, "c"))
    assert events(logs, Query()) == ["a", "Traceback", "  File x", "c", "b"]
    assert events(logs, Query(text="file x", until=START + 2)) == ["  File x"]


def test_malformed_huge_and_half_written_lines_do_no_harm(logs: Logs) -> None:
    huge = entry(2, "huge", text="y" * 900_000)
    logs.write("blog-0.log", entry(1, "a"), b"\xff\xfe\x00broken", huge, "", "{", b"\x80" * 10)
    logs.write("blog-0.log", entry(3, "b"))
    logs.write("blog-0.log", '{"ts":"2026-11-20T03:00:04Z","event":"ha', end=b"")
    lines = LogFolder(logs.folder).search(Query()).lines
    assert [line.event[:6] for line in lines if line.event in ("a", "huge", "b")] == [
        *("a", "huge", "b")
    ]
    assert lines[-1].event.startswith('{"ts"')
    assert lines[-1].ts == START + 4
    assert len(lines) == 7


def test_a_line_longer_than_the_bound_is_cut(logs: Logs) -> None:
    logs.write("blog-0.log", entry(1, "a"), b'{"event":"' + b"z" * (5 * LONGEST) + b'"}')
    logs.write("blog-0.log", entry(3, "b"))
    lines = LogFolder(logs.folder).search(Query()).lines
    assert len(lines) == 3
    assert max(len(line.raw) for line in lines) == LONGEST


def test_results_are_bounded_in_bytes(logs: Logs) -> None:
    for _ in range(60):
        logs.write("blog-0.log", entry(1, "x" * 1_000_000))
    result = LogFolder(logs.folder).search(Query())
    assert len(result.lines) < 40
    assert not result.complete


def test_a_search_can_be_watched_and_cancelled(logs: Logs) -> None:
    for number in range(3):
        logs.write(f"blog-{number}.log", *(entry(n, "x" * 500) for n in range(6000)))
    told: list[tuple[int, int]] = []
    stop = threading.Event()

    def progress(scanned: int, total: int) -> None:
        told.append((scanned, total))
        if len(told) == 4:
            stop.set()

    query = Query(text="not there")
    result = LogFolder(logs.folder).search(query, cancelled=stop.is_set, progress=progress)
    assert not result.complete
    assert 4 <= len(told) < 8
    total = sum(path.stat().st_size for path in logs.folder.iterdir())
    assert told[-1] == (result.scanned_bytes, total)


def test_what_is_no_log_is_left_alone(logs: Logs) -> None:
    os.mkfifo(logs.folder / "pipe.log")
    (logs.folder / "folder.log").mkdir()
    logs.write("blog-0.log", entry(1, "a"))
    assert events(logs, Query()) == ["a"]
    assert LogFolder(logs.folder / "none").search(Query()).lines == []


def test_a_search_before_a_tail_ends_where_the_tail_begins(logs: Logs) -> None:
    logs.write("blog-0.log", entry(1, "a"))
    logs.write("blog-0.log", entry(2, "half")[:20], end=b"")
    folder = LogFolder(logs.folder)
    with folder.follow(Query()) as tail:
        logs.write("blog-0.log", entry(2, "half")[20:], entry(3, "c"))
        logs.write("new-0.log", entry(4, "d"))
        assert [line.event for line in folder.search(Query(), before=tail).lines] == ["a"]
        assert [line.event for line in tail.poll()] == ["half", "c", "d"]
