"""What a start refuses, in words, with the next step and its exit code."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from titanium.errors import EXIT_BUSY, EXIT_NOT_RUNNING, EXIT_STATE, EXIT_UNHEALTHY, EXIT_USAGE

if TYPE_CHECKING:
    from ..conftest import Program

pytestmark = pytest.mark.e2e


def test_a_busy_port_is_named_with_its_holder(stopped: Program) -> None:
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", stopped.base))
        holder.listen()
        done = stopped.up(code=EXIT_BUSY)
    assert f"port {stopped.base} (gateway) is in use by" in done.stderr
    assert f"(pid {os.getpid()})" in done.stderr
    stopped.run("status", code=EXIT_NOT_RUNNING)


def test_other_ports_need_a_stop_first(running: Program) -> None:
    done = running.run("up", "-d", "--port-base", str(running.base + 1), code=EXIT_BUSY)
    assert "titanium down" in done.stderr


def test_another_policy_needs_a_stop_first(running: Program, tmp_path: Path) -> None:
    """It would be silently ignored otherwise."""
    other = tmp_path / "policy.toml"
    other.write_bytes((running.checkout / "mesh/policy.toml").read_bytes())
    done = running.run("up", "-d", "--policy", str(other), code=EXIT_BUSY)
    assert "--policy" in done.stderr
    assert "titanium down" in done.stderr


def test_a_corrupt_database_is_told_with_the_servers_words(stopped: Program) -> None:
    control = stopped.home / "data/postgres/global/pg_control"
    good = control.read_bytes()
    control.write_bytes(b"\xff" * len(good))
    try:
        done = stopped.up(code=EXIT_UNHEALTHY)
    finally:
        control.write_bytes(good)
    assert "postgres exited with status" in done.stderr
    assert "FATAL" in done.stderr
    assert "titanium reset" in done.stderr
    stopped.up()


def test_a_folder_of_a_newer_version_is_refused(stopped: Program) -> None:
    version = stopped.home / "version"
    version.write_text("99\n")
    try:
        for command in (("up", "-d"), ("status",), ("down",), ("reset", "--yes")):
            done = stopped.run(*command, code=EXIT_STATE)
            assert "newer titanium" in done.stderr
    finally:
        version.write_text("1\n")


def test_a_service_that_cannot_start_is_told_with_its_last_lines(
    stopped: Program,
) -> None:
    main = stopped.checkout / "lib/stand_in_two/main.py"
    good = main.read_text()
    main.write_text("raise SystemExit('the setting X is missing')\n")
    try:
        done = stopped.up(code=EXIT_UNHEALTHY)
    finally:
        main.write_text(good)
    assert "two-0 exited with status 1" in done.stderr
    assert "the setting X is missing" in done.stderr
    assert "titanium logs two-0" in done.stderr
    stopped.run("status", code=EXIT_NOT_RUNNING)


def test_a_broken_declaration_names_file_and_key(stopped: Program) -> None:
    declared = stopped.checkout / "services/two/service.toml"
    good = declared.read_text()
    declared.write_text(good.replace("availability", "availabillity"))
    try:
        done = stopped.up(code=EXIT_USAGE)
    finally:
        declared.write_text(good)
    assert "services/two/service.toml" in done.stderr
    assert "slo.availabillity: unknown key" in done.stderr
