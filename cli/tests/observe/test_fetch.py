"""Prometheus and Alertmanager are fetched once; what cannot be had is remembered and told."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from titanium import main
from titanium.errors import ToolMissingError
from titanium.layout import tools_folder
from titanium.observe import fetch
from titanium.tools import ALERTMANAGER, DEBIAN_PROGRAMS, PROMETHEUS, find_prometheus

# What it does is in the file `how` beside it; each call leaves a line in `calls`.
APT = '#!/bin/sh\necho "$*" >> "${0%/*}/calls"\n. "${0%/*}/how"\n'


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout without tools, on a machine whose PATH has neither them nor a working apt-get."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "cp", "sleep", "tar", "rm"):
        found = shutil.which(name)
        assert found
        (programs / name).symlink_to(found)
    for name in ("apt-get", "dpkg-deb"):
        (programs / name).write_text(APT)
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    for program in DEBIAN_PROGRAMS:
        monkeypatch.delenv(program.setting, raising=False)
    checkout = tmp_path / "checkout"
    (checkout / "services").mkdir(parents=True)
    monkeypatch.setenv("TITANIUM_ROOT", str(checkout))
    apt_does(checkout, "echo 'E: no network' >&2; exit 100")
    return checkout


def apt_does(root: Path, how: str) -> None:
    (root.parent / "bin" / "how").write_text(how + "\n")


def calls(root: Path) -> int:
    file = root.parent / "bin" / "calls"
    return len(file.read_text().splitlines()) if file.exists() else 0


def told(root: Path) -> list[tuple[str, str]]:
    said: list[tuple[str, str]] = []
    fetch.fetch_missing(root, lambda name, what: said.append((name, what)))
    return said


@pytest.mark.integration
def test_a_failure_is_told_remembered_and_not_tried_again_for_an_hour(root: Path) -> None:
    said = told(root)
    assert [name for name, _ in said] == ["prometheus"] * 2 + ["prometheus-alertmanager"] * 2
    assert said[1][1] == "could not be fetched: going on without"
    made = calls(root)
    assert made > 0
    assert told(root) == []
    assert calls(root) == made
    note = fetch.note(DEBIAN_PROGRAMS, root)
    assert "E: no network" in note
    assert note.endswith("Next: titanium tools fetch")
    file = tools_folder(root) / ".prometheus.failed.json"
    body = json.loads(file.read_text())
    file.write_text(json.dumps({**body, "at": time.time() - fetch.NOT_AGAIN_WITHIN - 1}))
    assert told(root) != []


@pytest.mark.integration
def test_a_person_who_asks_is_not_kept_waiting_for_that_hour(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told(root)
    made = calls(root)
    assert main.run(["tools", "fetch"]) == 7
    assert "E: no network" in capsys.readouterr().err
    assert calls(root) > made


@pytest.mark.integration
def test_a_network_that_hangs_ends_in_time(root: Path) -> None:
    apt_does(root, "sleep 60")
    began = time.monotonic()
    with pytest.raises(ToolMissingError, match=r"longer than 0\.5 s"):
        fetch.fetch(PROMETHEUS, root, 0.5)
    assert time.monotonic() - began < 5
    assert not (tools_folder(root) / "prometheus").exists()


@pytest.mark.integration
def test_what_was_fetched_is_found_before_path(root: Path) -> None:
    """The fake dpkg-deb unpacks a program: it is called as `dpkg-deb -x ARCHIVE FOLDER`."""
    (root.parent / "bin" / "mkdir").symlink_to("/bin/mkdir")
    (root.parent / "bin" / "prometheus").write_text("#!/bin/sh\n")
    (root.parent / "bin" / "prometheus").chmod(0o755)
    assert find_prometheus(root).prometheus == root.parent / "bin" / "prometheus"
    unpack = 'mkdir -p "$3/usr/bin"; cp "${0%/*}/prometheus" "$3/usr/bin/"'
    apt_does(root, f'case "$0" in *apt-get) : > x.deb ;; *) {unpack} ;; esac')
    fetch.fetch(PROMETHEUS, root)
    unpacked = tools_folder(root) / "prometheus/usr/bin/prometheus"
    assert find_prometheus(root).prometheus == unpacked
    with pytest.raises(ToolMissingError, match="promtool was not found beside"):
        _ = find_prometheus(root).promtool


@pytest.mark.unit
def test_without_apt_nothing_is_tried_and_the_note_says_what_to_install(root: Path) -> None:
    (root.parent / "bin" / "apt-get").unlink()
    assert told(root) == []
    assert "install Prometheus so that PATH has it, or set TITANIUM_PROMETHEUS" in fetch.note(
        [PROMETHEUS], root
    )


@pytest.mark.unit
def test_a_setting_that_names_no_program_is_the_persons_to_correct(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TITANIUM_ALERTMANAGER", "/nowhere/alertmanager")
    assert ALERTMANAGER in fetch.missing(root)
    assert [name for name, _ in told(root)] == ["prometheus"] * 2
    (root.parent / "bin" / "apt-get").unlink()
    note = fetch.note([ALERTMANAGER], root)
    assert "correct or unset TITANIUM_ALERTMANAGER" in note
    # It would not be fetched if there were one.
    assert "apt-get" not in note


@pytest.mark.unit
def test_the_table_says_where_each_tool_is_and_how_to_get_the_missing(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["tools"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:5]] == [
        *("envoy", "postgres", "valkey", "prometheus", "alertmanager"),
    ]
    assert lines[3].split() == ["prometheus", "missing"]
    assert "prometheus: Prometheus was not found. Next: titanium tools fetch" in lines


@pytest.mark.integration
def test_debians_packages_have_the_programs(tmp_path: Path) -> None:
    """The real apt and the real packages, into a folder of their own."""
    if shutil.which("apt-get") is None:
        pytest.skip("this system has no apt-get")
    try:
        found = fetch.fetch(PROMETHEUS, tmp_path)
    except ToolMissingError as error:
        pytest.skip(f"apt cannot download here: {error.message}")
    assert os.access(found, os.X_OK)
    done = subprocess.run([found, "--version"], capture_output=True, text=True)
    assert "prometheus, version 2." in done.stdout + done.stderr
