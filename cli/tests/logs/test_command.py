"""`titanium logs` shows what was asked for, raw to a pipe and readable on a terminal."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from cli.tests.logs.conftest import START, Logs, entry
from titanium import errors, main
from titanium.errors import UsageError
from titanium.logs.moments import moment

pytestmark = pytest.mark.unit

Run = Callable[..., str]


@pytest.fixture
def run(logs: Logs, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str, code: int = 0) -> str:
        """What the command writes to standard output, or, when it fails, to standard error."""
        home = str(logs.folder.parent)
        assert main.run(("logs", "--home", home, *arguments)) == code
        out, err = capsys.readouterr()
        return err if code else out

    return run


def test_the_last_lines_of_every_log_are_shown(run: Run, logs: Logs) -> None:
    logs.write("blog-0.log", *(entry(n, f"b{n}") for n in range(0, 60, 2)))
    logs.write("auth-0.log", entry(1, "a1"), "not JSON")
    lines = run().splitlines()
    assert len(lines) == 22
    # By time: a line without one has that of the line before it.
    assert lines[:2] == [f"auth-0 | {entry(1, 'a1')}", "auth-0 | not JSON"]
    assert lines[2] == f"blog-0 | {entry(20, 'b20')}"
    assert len(run("-n", "3").splitlines()) == 5
    assert run("-n", "0") == ""


def test_nothing_found_is_said(logs: Logs, capsys: pytest.CaptureFixture[str]) -> None:
    """On standard error: what reads standard output gets nothing."""
    logs.write("blog-0.log", entry(1))
    home = str(logs.folder.parent)
    assert main.run(("logs", "--home", home, "--request-id", "unknown")) == 0
    assert capsys.readouterr() == ("", "no line matches\n")


def test_one_log_is_shown_as_it_was_written(run: Run, logs: Logs) -> None:
    logs.write("blog-0.log", entry(1), "text \x1b[31m")
    logs.write("auth-0.log", entry(1))
    assert run("blog") == f"{entry(1)}\ntext \n"  # click leaves colours out of a pipe


def test_filters_select_lines_of_all_logs(run: Run, logs: Logs) -> None:
    logs.write("blog-0.log", entry(1, "a", "error", request_id="r1"), entry(3, "c"))
    logs.write("auth-0.log", entry(2, "b", "critical", trace_id="ab"), entry(4, "Needle"))

    def found(*arguments: str) -> list[str]:
        return [json.loads(line)["event"] for line in run("--json", *arguments).splitlines()]

    assert found("--level", "error") == ["a", "b"]
    assert found("--level", "CRITICAL") == ["b"]
    assert found("--grep", "needle") == ["Needle"]
    assert found("--request-id", "r1") == ["a"]
    assert found("--trace-id", "AB") == ["b"]
    assert found("--since", "2026-11-20T03:00:02Z", "--until", "2026-11-20T03:00:03Z") == ["b", "c"]
    assert found("--level", "debug", "-n", "2") == ["a", "b", "c", "Needle"]  # leaves out nothing
    assert found("--since", "2026-11-20T03:00:00Z", "-n", "2") == ["c", "Needle"]


def test_older_matching_lines_are_mentioned(logs: Logs, capsys: pytest.CaptureFixture[str]) -> None:
    logs.write("blog-0.log", *(entry(n, "x") for n in range(9)))
    main.run(("logs", "--home", str(logs.folder.parent), "--grep", "x", "-n", "5"))
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 5
    assert "-n 50" in err


def test_json_makes_objects_of_other_lines(run: Run, logs: Logs) -> None:
    logs.write("postgres.log", "2026-11-20 03:00:01.000 UTC [7] a@b ERROR:  no")
    found = json.loads(run("--json"))
    assert found["level"] == "error"
    assert (found["event"], found["user"], found["process"]) == ("no", "a", "postgres")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--level", "loud"), "there is no level 'loud'"),
        (("--since", "yesterday"), "--since 'yesterday' is no point in time"),
        (("--until", ""), "--until '' is no point in time"),
        (("--since", "1m", "--until", "2m"), "--since is later than --until"),
        (("-f", "--until", "2m"), "Leave out --until"),
        (("nothing",), "Logs are: blog-0."),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(
    run: Run, logs: Logs, arguments: tuple[str, ...], words: str
) -> None:
    logs.write("blog-0.log", entry(1))
    assert words in run(*arguments, code=errors.EXIT_USAGE)


def test_points_in_time() -> None:
    assert moment("10m", "--since", 1000.0) == 400.0
    assert moment("1.5h", "--since", 10_000.0) == 4600.0
    assert moment("2026-11-20T03:00:00Z", "--since", 0) == START
    assert moment("2026-11-20 12:00+09:00", "--since", 0) == START
    for text in ("", "10", "m", "-5m", "1e3s", "99999-01-01", "٣m", "1" * 400 + "d"):
        with pytest.raises(UsageError):
            moment(text, "--since", 0)


@pytest.fixture
def terminal(logs: Logs) -> Iterator[Callable[..., tuple[subprocess.Popen[bytes], int]]]:
    """A function: arguments -> the program on a pseudo terminal, and that terminal."""
    started: list[tuple[subprocess.Popen[bytes], int]] = []

    def start(*arguments: str) -> tuple[subprocess.Popen[bytes], int]:
        ours, its = pty.openpty()
        command = [sys.executable, "-P", "-m", "titanium", "logs", *arguments]
        process = subprocess.Popen(
            [*command, "--home", str(logs.folder.parent)], stdout=its, stdin=its, stderr=its
        )
        os.close(its)
        started.append((process, ours))
        return started[-1]

    yield start
    for process, ours in started:
        process.kill()
        process.wait()
        os.close(ours)


def read_until(terminal: int, words: bytes) -> bytes:
    said = b""
    deadline = time.monotonic() + 20
    while words not in said:
        assert time.monotonic() < deadline, said
        said += os.read(terminal, 4096)
    return said


@pytest.mark.integration
def test_a_terminal_gets_colours_and_is_safe_from_what_logs_hold(
    logs: Logs, terminal: Callable[..., tuple[subprocess.Popen[bytes], int]]
) -> None:
    logs.write("blog-0.log", entry(1, "\x1b]0;evil\x07", "error", path="/x y", n=1))
    logs.write("blog-0.log", b"text \x1b[2J \x9b31m end")
    _, screen = terminal("blog")
    said = read_until(screen, b" end")
    assert b"\x1b]0" not in said
    assert b"\x07" not in said
    assert b"\x1b[2J" not in said
    assert b"\\x1b]0;evil\\x07" in said
    assert b'="/x y"' in said
    assert b"\x1b[31m" in said  # our own red of the level
    assert b"2026-11-2" in said


@pytest.mark.integration
def test_following_shows_new_matching_lines_until_it_is_interrupted(
    logs: Logs, terminal: Callable[..., tuple[subprocess.Popen[bytes], int]]
) -> None:
    logs.write("blog-0.log", entry(1, "before", "error"))
    process, screen = terminal("-f", "--level", "error")
    read_until(screen, b"before")
    logs.write("blog-0.log", entry(2, "quiet"), entry(3, "loud", "error"))
    assert b"quiet" not in read_until(screen, b"loud")
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == main.INTERRUPTED


def test_help_is_the_contract(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(("logs", "--help")) == 0
    out = capsys.readouterr().out
    for option in (
        "--level",
        "--grep",
        "--since",
        "--until",
        "--request-id",
        "--trace-id",
        "--json",
    ):
        assert option in out


@pytest.mark.integration
def test_following_writes_each_line_to_a_pipe_at_once(logs: Logs) -> None:
    logs.write("one.log", "before")
    command = [sys.executable, "-P", "-m", "titanium", "logs", "-f", "one"]
    with subprocess.Popen(
        [*command, "--home", str(logs.folder.parent)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "before\n"
        logs.write("one.log", "after")
        assert process.stdout.readline() == "after\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == main.INTERRUPTED
