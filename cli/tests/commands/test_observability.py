"""What observes a run starts with it, is taken over with it, and never stops it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError

import pytest

from cli.tests.commands.support import get, until
from titanium import tools
from titanium.checkout import checkout
from titanium.errors import EXIT_BUSY, ToolMissingError

if TYPE_CHECKING:
    from ..conftest import Program

pytestmark = pytest.mark.e2e
OURS = {"exporter", "console"}


def observed(program: Program, **programs: str) -> Program:
    """Its checkout gets rules and templates; `programs` are TITANIUM_PROMETHEUS and the like."""
    shutil.copytree(checkout() / "monitoring", program.checkout / "monitoring")
    program.variables.update(programs)
    return program


@pytest.fixture(scope="module")
def watched(make_program: Callable[..., Program]) -> Program:
    """A platform with everything that observes it; skipped where Prometheus is not to be had."""
    try:
        prometheus = tools.find_prometheus(checkout()).prometheus
        folder = tools.ALERTMANAGER.unpacked(checkout())
        tools.find_alertmanager(checkout())
    except ToolMissingError as error:
        pytest.skip(f"{error.message}: {error.hint}")
    program = observed(make_program("one"), TITANIUM_PROMETHEUS=str(prometheus))
    # Alertmanager has to lie where it was unpacked: its templates are found from there.
    link = tools.ALERTMANAGER.unpacked(program.checkout)
    link.parent.mkdir(parents=True)
    if folder.exists():
        link.symlink_to(folder)
    program.up("--observability")
    return program


def password(program: Program) -> str:
    return (program.home / "secrets/observability/password").read_text()


def targets(program: Program) -> dict[str, str]:
    account = ("titanium", password(program))
    body = get(program.base + 3, "/api/v1/targets?state=active", account)
    return {one["labels"]["instance"]: one["health"] for one in body["data"]["activeTargets"]}


def test_up_says_where_console_and_metrics_are(watched: Program) -> None:
    said = watched.up("--observability").stdout
    token = (watched.home / "secrets/console/token").read_text()
    assert f"http://127.0.0.1:{watched.base + 2}/login?token={token}" in said
    assert f"http://127.0.0.1:{watched.base + 3}" in said
    assert token not in watched.run("status", "--json").stdout
    assert watched.status()["console"] == f"http://127.0.0.1:{watched.base + 2}"


def test_everything_is_scraped(watched: Program) -> None:
    wanted = {"one-0", "gateway", "postgres", "redis", "platform", "console", "prometheus"}
    until(lambda: wanted <= set(targets(watched)) and set(targets(watched).values()) == {"up"})


@pytest.mark.parametrize("path", ["/", "/metrics", "/api/v1/status/config", "/-/ready"])
@pytest.mark.parametrize("port", [3, 4])
def test_without_the_password_metrics_and_alerts_answer_nobody(
    watched: Program, port: int, path: str
) -> None:
    """Neither other users of this machine nor web pages that find the port."""
    with pytest.raises(HTTPError) as refused:
        get(watched.base + port, path)
    with refused.value as answer:
        assert answer.code == 401


@pytest.mark.parametrize("name", ["prometheus", "alertmanager", "exporter", "console"])
def test_one_that_is_killed_is_back_and_the_platform_serves_on(watched: Program, name: str) -> None:
    before = watched.pids()[name]
    os.kill(before, signal.SIGKILL)
    watched.run("status")
    until(lambda: watched.pids()[name] not in (None, before))
    until(lambda: watched.status()["state"] == "healthy")


def test_all_are_taken_over_from_a_dead_supervisor(watched: Program) -> None:
    until(lambda: watched.status()["state"] == "healthy")
    before = watched.pids()
    os.kill(watched.status()["supervisor"], signal.SIGKILL)
    watched.up("--observability")
    assert watched.pids() == before


def test_a_busy_port_is_a_note_with_its_holder_and_taken_when_free(watched: Program) -> None:
    watched.run("stop", "prometheus")
    assert watched.status()["state"] == "degraded"
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", watched.base + 3))
        holder.listen()
        watched.run("start", "prometheus", code=EXIT_BUSY)
        said = watched.up("--observability").stdout
        assert "Titanium is degraded" in said
        assert f"port {watched.base + 3} (prometheus) is in use by" in said
        assert f"(pid {os.getpid()})" in said
        assert f"(pid {os.getpid()})" in watched.run("status").stdout
    until(lambda: watched.status()["state"] == "healthy")


def test_a_running_platform_cannot_be_observed_less(watched: Program) -> None:
    done = watched.run("up", "-d", "--no-observability", code=EXIT_BUSY)
    assert "another --no-observability" in done.stderr


def test_without_programs_and_without_apt_it_starts_and_says_so(
    make_program: Callable[..., Program], tmp_path: Any
) -> None:
    """PATH has nothing but what the platform itself needs."""
    program = observed(make_program("one"), PATH=str(tmp_path))
    for name in ("sh", "setpriv", "unshare", "chown", "id"):
        if found := shutil.which(name):
            (tmp_path / name).symlink_to(found)
    said = program.up("--observability").stdout
    assert "Titanium is degraded" in said
    assert said.count("Prometheus and Alertmanager are missing") == 1
    assert "no apt-get" in said
    assert set(program.pids()) > OURS
    assert "prometheus" not in program.pids()
    assert "TITANIUM_PROMETHEUS" in program.run("status").stdout
    program.run("down")
    program.up()
    assert OURS.isdisjoint(program.pids())
    assert program.status()["state"] == "healthy"
