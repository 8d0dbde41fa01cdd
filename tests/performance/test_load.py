"""`titanium load` and the locustfile on a real platform."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE

import pytest

from tests.performance.support import FOLDER
from tests.support import ROOT, Platform, running_platform
from titanium.errors import EXIT_UNHEALTHY

pytestmark = [pytest.mark.e2e, pytest.mark.alone]


@pytest.fixture(scope="module")
def own(relaxed_policy: Path) -> Iterator[Platform]:
    """A platform that these tests may hurt; its login limit does not make them wait."""
    with running_platform("--policy", str(relaxed_policy)) as platform:
        yield platform


def load(platform: Platform, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    """Run it; its output has no traceback and no account stays."""
    done = platform.titanium("load", *arguments, check=False)
    said = done.stdout + done.stderr
    assert "Traceback" not in said, said
    assert done.returncode == status, said
    return done


def reports(platform: Platform) -> list[Path]:
    return sorted((platform.home / "reports").glob("*.html"))


def posts(platform: Platform) -> list[dict[str, object]]:
    """What load tests wrote, of all posts of a platform with few posts."""
    found: list[dict[str, object]] = platform.client.get("/api/posts?limit=100").json()
    return [post for post in found if str(post["author"]).startswith("load-")]


def test_a_good_run_keeps_its_thresholds_reports_and_leaves_nothing_behind(own: Platform) -> None:
    done = load(own, "--duration", "8s", "--rate", "40", "--users", "5", "--name", "good",
                "--p95", "3000")  # fmt: skip
    for part in ("register", "log in", "read again", "search", "write", "edit", "delete", "leave"):
        assert part in done.stdout
    assert done.stdout.count("met") == 3
    (report,) = (path for path in reports(own) if path.name.startswith("load-good-"))
    assert f"Report: {report}" in done.stdout
    _, _, numbers = report.read_text().partition("window.templateArgs = ")
    shown, _ = json.JSONDecoder().raw_decode(numbers)
    total = next(row for row in shown["requests_statistics"] if row["name"] == "Aggregated")
    assert total["num_requests"] > 50
    assert total["num_failures"] == 0
    assert posts(own) == []


def test_a_missed_threshold_is_an_exit_status_of_its_own(own: Platform) -> None:
    done = load(own, "--scenario", "browse", "--duration", "2s", "--rate", "20", "--p95", "0.1",
                status=EXIT_UNHEALTHY)  # fmt: skip
    assert "missed" in done.stdout


def test_sessions_are_opened_renewed_and_closed(own: Platform) -> None:
    done = load(own, "--scenario", "login", "--duration", "3s", "--rate", "20", "--p95", "3000")
    for part in ("verified: 200", "refreshed: 200", "logged out: 204"):
        assert part in done.stdout


def until(process: subprocess.Popen[str], words: str) -> None:
    """Wait for a line with these words."""
    assert process.stdout is not None
    assert any(words in line for line in process.stdout), words


def test_an_interrupted_run_ends_with_its_summary(own: Platform) -> None:
    command = [sys.executable, "-m", "titanium", "load", "--home", str(own.home)]
    process = subprocess.Popen([*command, "--duration", "60s"], stdout=PIPE, stderr=PIPE, text=True)
    until(process, " of 60 s: ")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=40)
    assert process.returncode == 130, out + err
    assert "thresholds" in out
    assert "Report: " in out
    assert posts(own) == []


def test_the_gentle_mode_goes_on_until_it_is_stopped_and_cleans_up(own: Platform) -> None:
    environment = {**os.environ, "TITANIUM_URL": own.url}
    command = [sys.executable, "-m", "titanium", "load", "--gentle", "--rate", "20"]
    process = subprocess.Popen(command, stdout=PIPE, stderr=PIPE, text=True, env=environment)
    until(process, f"visiting {own.url}")
    time.sleep(2)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=40)
    assert process.returncode == 0, out + err
    assert posts(own) == []


def test_locust_itself_runs_the_same_visitors_and_judges_them(own: Platform) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "locust", "-f", str(FOLDER / "locustfile.py"), "--host", own.url,
         "--headless", "-u", "5", "-r", "5", "-t", "5s", "--only-summary"],
        capture_output=True, text=True, timeout=60, cwd=ROOT,
        env={**os.environ, "TITANIUM_LOAD_SCENARIO": "browse"},
    )  # fmt: skip
    assert done.returncode == (1 if "missed" in done.stdout else 0), done.stdout + done.stderr
    assert "checks: 100.00 % (over 99 %): met" in done.stdout
    assert "failed requests: 0.00 % (under 1 %): met" in done.stdout


def test_a_service_that_is_gone_is_told_as_errors(own: Platform) -> None:
    own.titanium("stop", "blog")
    try:
        done = load(own, "--scenario", "browse", "--duration", "3s", "--rate", "20",
                    status=EXIT_UNHEALTHY)  # fmt: skip
        assert "x GET list: 503 Service Unavailable" in done.stdout
        own.titanium("stop", "user")
        refused = load(own, "--duration", "3s", status=EXIT_UNHEALTHY)
        assert "does not let the load test register and log in" in refused.stderr
        assert "next:  See titanium status" in refused.stderr
    finally:
        own.titanium("start", "blog", check=False)
        own.titanium("start", "user", check=False)
