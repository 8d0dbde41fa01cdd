"""The folder of logs stays small: by size, by age, in total; writers lose nothing they can keep."""

from __future__ import annotations

import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import UnixStreamServer

import pytest

from cli.tests.logs.conftest import Logs, entry
from titanium.layout import Home
from titanium.supervise import logs as rotation
from titanium.supervise.logs import BOUNDS, Bounds, reopeners, rotate

pytestmark = pytest.mark.unit

SMALL = Bounds(size=1000, generations=3, age=7 * 86400, keep=14 * 86400, total=1 << 30)


def names(logs: Logs) -> set[str]:
    return {path.name for path in logs.folder.iterdir()}


def now(text: str = "x") -> str:
    return json.dumps({"ts": time.time(), "event": text})


def test_a_large_log_is_cut_in_place_and_put_aside(logs: Logs) -> None:
    large = logs.folder / "large.log"
    large.write_text("x" * 2000)
    logs.write("small.log", "y")
    with large.open("a") as writer:
        assert rotate(logs.folder, SMALL) == ["large.log"]
        writer.write("after\n")
    assert large.read_text() == "after\n"
    aside = logs.folder / "large.log.1"
    assert aside.read_text() == "x" * 2000
    assert aside.stat().st_mode & 0o777 == 0o600
    assert names(logs) == {"large.log", "large.log.1", "small.log"}


def test_a_few_generations_are_kept(logs: Logs) -> None:
    for number in range(6):
        logs.write("a.log", f"{number}" * 1100)
        rotate(logs.folder, SMALL)
    assert names(logs) == {"a.log", "a.log.1", "a.log.2", "a.log.3"}
    assert [(logs.folder / f"a.log.{n}").read_text()[0] for n in (1, 2, 3)] == ["5", "4", "3"]


def test_generations_beyond_a_smaller_bound_go(logs: Logs) -> None:
    for number in range(1, 9):
        logs.write(f"a.log.{number}", "x")
    rotate(logs.folder, SMALL)
    assert names(logs) == {"a.log.1", "a.log.2", "a.log.3"}


def test_a_week_old_log_is_put_aside_however_small(logs: Logs) -> None:
    logs.write("old.log", "no time here", entry(0), now())
    logs.write("new.log", now())
    logs.write("timeless.log", "titanium_blog: at 0001")
    logs.write("empty.log", end=b"")
    bounds = Bounds(age=time.time() - json_ts(entry(0)) - 60)
    assert rotate(logs.folder, bounds) == ["old.log"]


def json_ts(text: str) -> float:
    from titanium.logs.parse import dissect

    found = dissect(text).ts
    assert found is not None
    return found


def test_what_was_put_aside_goes_after_a_while(logs: Logs) -> None:
    logs.write("a.log.1", "x")
    logs.write("a.log.2", "x")
    old = time.time() - BOUNDS.keep - 60
    os.utime(logs.folder / "a.log.2", (old, old))
    rotate(logs.folder)
    assert names(logs) == {"a.log.1"}


def test_the_folder_is_bounded_and_the_oldest_goes_first(logs: Logs) -> None:
    for number in range(1, 4):
        for name in ("a", "b"):
            logs.write(f"{name}.log.{number}", "x" * 999)
            moment = time.time() - 100 * number - (50 if name == "b" else 0)
            os.utime(logs.folder / f"{name}.log.{number}", (moment, moment))
    logs.write("a.log", "y" * 499)
    rotate(logs.folder, Bounds(size=10_000, generations=3, total=3500))
    assert names(logs) == {"a.log", "a.log.1", "b.log.1", "a.log.2"}


def test_of_a_log_that_grew_enormous_the_end_is_kept(logs: Logs) -> None:
    logs.write("a.log", *(f"line {n}" for n in range(10_000)))
    rotate(logs.folder, SMALL)
    lines = (logs.folder / "a.log.1").read_text().splitlines()
    assert lines[-1] == "line 9999"
    assert lines[0].startswith("line ")
    assert sum(map(len, lines)) < 1100
    assert (logs.folder / "a.log").stat().st_size == 0


def test_a_full_disk_costs_old_lines_and_nothing_else(
    logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No room for the copy: the log is emptied, so that the platform can go on."""
    logs.write("a.log", "x" * 2000)
    logs.write("a.log.1", "older")

    def full(path: Path, copy: Path, most: int) -> None:
        copy.write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(rotation, "_copy", full)
    assert rotate(logs.folder, SMALL) == ["a.log"]
    assert (logs.folder / "a.log").stat().st_size == 0
    assert (logs.folder / "a.log.1").read_text() == "older\n"
    assert names(logs) == {"a.log", "a.log.1"}


def test_a_writer_that_can_reopen_its_log_loses_no_line(logs: Logs) -> None:
    path = logs.folder / "gateway-access.log"
    logs.write(path.name, "x" * 2000)
    writers = [path.open("a")]

    def reopen() -> None:
        writers[0].write("between\n")
        writers[0].close()
        writers[0] = path.open("a")

    assert rotate(logs.folder, SMALL, {path.name: reopen}) == [path.name]
    with writers[0] as writer:
        writer.write("after\n")
    assert path.read_text() == "after\n"
    assert Path(f"{path}.1").read_text() == "x" * 2000 + "\nbetween\n"


def test_reopening_is_asked_for_again_until_it_happens(logs: Logs) -> None:
    path = logs.folder / "gateway-access.log"
    logs.write(path.name, "x" * 2000)
    asked: list[int] = []

    def reopen() -> None:
        asked.append(1)
        if len(asked) < 3:
            raise ConnectionRefusedError
        path.touch()

    for _ in range(5):
        rotate(logs.folder, SMALL, {path.name: reopen})
    assert len(asked) == 3
    assert Path(f"{path}.1").stat().st_size == 2001


@pytest.mark.integration
def test_the_gateway_is_asked_over_its_admin_socket(short_folder: Path) -> None:
    home = Home(short_folder)
    socket = home.admin_socket("gateway")
    socket.parent.mkdir(parents=True)
    asked: list[str] = []

    class Admin(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(f"POST {self.path}")
            self.send_response(200)
            self.send_header("Content-Length", "3")
            self.end_headers()
            self.wfile.write(b"OK\n")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            return

    class Server(UnixStreamServer):
        def get_request(self) -> tuple[object, object]:  # type: ignore[override]
            connection, _ = super().get_request()
            return connection, ("", 0)

    (reopen,) = reopeners(home).values()
    with pytest.raises(OSError):
        reopen()
    with Server(str(socket), Admin) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        reopen()
        thread.join()
    assert asked == ["POST /reopen_logs"]
