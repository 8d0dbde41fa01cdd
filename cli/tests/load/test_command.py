"""`titanium load` on the command line, before anything is sent."""

from __future__ import annotations

import io
import os
import socket
from pathlib import Path

import pytest
from rich.console import Console

from cli.tests.load.support import summary
from titanium.commands import load
from titanium.errors import NotRunningError, UsageError
from titanium.load.model import Progress, Thresholds, judge
from titanium.load.scenario import SCENARIOS
from titanium.load.show import in_words, remarks, tables
from titanium.load.target import checked_url, is_loopback, require_answer
from titanium.main import run

NOWHERE = "http://127.0.0.1:9"


@pytest.mark.unit
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--scenario", "nope"], "is not one of 'browse'"),
        (["--duration", "5x"], "expected a time from 1s to 24h"),
        (["--users", "0"], "--users"),
        (["--rate", "0"], "--rate"),
        (["--p95", "0"], "--p95"),
        (["--p95", "nan"], "--p95 nan: expected a number"),
        (["--error-rate", "nan"], "--error-rate nan: expected a number"),
        (["--rate", "nan"], "--rate nan: expected a number"),
        (["--error-rate", "101"], "--error-rate"),
        (["--gentle", "--scenario", "browse"], "exclude each other"),
        (["--gentle", "--duration", "3s"], "until it is stopped"),
        (["--name", "../etc"], "expected up to 40 letters"),
        (["--url", "ftp://x"], "expected http://HOST:PORT"),
    ],
)
def test_wrong_options_are_usage_errors(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["load", "--url", NOWHERE, *arguments]) == 2
    said = capsys.readouterr()
    assert words in said.err
    assert "Traceback" not in said.err


@pytest.mark.unit
def test_without_a_state_folder_there_is_no_platform(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["load", "--home", str(tmp_path / "none")]) == 4
    assert "next:  Start the platform" in capsys.readouterr().err


@pytest.mark.unit
@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("https://blog.example.org/", "https://blog.example.org"),
        ("http://[::1]:80/", "http://[::1]:80"),
    ],
)
def test_addresses_are_taken_without_a_path(text: str, url: str) -> None:
    assert checked_url(text) == url


@pytest.mark.unit
@pytest.mark.parametrize(
    "text",
    [
        "",
        "8080",
        "http://",
        "http://a:x",
        "http://a:99999",
        "http://u:p@a",
        "http://a/b",
        "http://[",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--url"):
        checked_url(text)


@pytest.mark.unit
def test_only_loopback_may_have_a_certificate_that_nobody_knows() -> None:
    assert is_loopback("https://127.0.0.1:8443")
    assert is_loopback("https://localhost")
    assert is_loopback("https://[::1]")
    assert not is_loopback("https://example.org")
    assert not is_loopback("https://127.0.0.1.example.org")


@pytest.mark.integration
def test_a_port_that_nobody_listens_on_is_told_with_the_next_step() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(NotRunningError, match="nothing answers at") as caught:
        require_answer(url)
    assert "titanium up -d" in caught.value.hint


@pytest.mark.unit
def test_reports_have_names_of_their_own_and_the_last_ones_stay(tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()
    for number in range(30):
        old = folder / f"load-mixed-{number}.html"
        old.touch()
        os.utime(old, (number, number))
    (folder / "mine.html").touch()
    file = load._report_file(str(tmp_path), SCENARIOS["mixed"], "before")
    assert file.parent == folder
    assert file.name.startswith("load-before-")
    kept = {path.name for path in folder.iterdir()}
    assert "mine.html" in kept
    assert "load-mixed-29.html" in kept
    assert "load-mixed-0.html" not in kept
    assert len(kept) == 20


@pytest.mark.unit
def test_the_result_shows_requests_checks_thresholds_and_what_failed() -> None:
    found = summary()
    screen = io.StringIO()
    Console(file=screen, width=100).print(*tables(found, judge(found, Thresholds(p95_ms=50))))
    text = screen.getvalue()
    for part in ("read", "900", "read: 200 with an ETag", "under 50 ms", "missed", "over 99 %"):
        assert part in text
    said = remarks(found)
    assert said[0] == "7 x GET read: 503 Service Unavailable"
    assert said[1].startswith("3 requests were refused by the rate limit (429)")
    assert said[2] == "a note"


@pytest.mark.unit
def test_progress_is_one_line() -> None:
    assert in_words(Progress("making accounts"), 30) == "making accounts"
    assert (
        in_words(Progress("running", 3.2, 5, 100, 1, 2, 40.4), 30)
        == "3 of 30 s: 5 users, 100 requests, 1 failed, 2 rate limited, p95 40 ms"
    )
