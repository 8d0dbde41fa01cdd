"""Programs are found in packages, by setting, or on PATH; what is missing is named."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from titanium import debian, tools
from titanium.errors import ToolMissingError

SETTINGS = ("TITANIUM_ENVOY", "TITANIUM_POSTGRES_BIN", "TITANIUM_REDIS_SERVER")


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.unit
def test_the_packages_have_every_program() -> None:
    found = tools.find_tools()
    for path in (found.envoy, found.redis_server):
        assert os.access(path, os.X_OK)
    for name in ("postgres", "initdb", "psql"):
        assert os.access(found.postgres_bin / name, os.X_OK)


@pytest.mark.unit
def test_a_setting_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("mine", "postgres", "initdb"):
        (tmp_path / name).touch(mode=0o755)
    monkeypatch.setenv("TITANIUM_ENVOY", str(tmp_path / "mine"))
    monkeypatch.setenv("TITANIUM_REDIS_SERVER", str(tmp_path / "mine"))
    monkeypatch.setenv("TITANIUM_POSTGRES_BIN", str(tmp_path))
    found = tools.find_tools()
    assert found == tools.Tools(tmp_path / "mine", tmp_path, tmp_path / "mine")


@pytest.mark.unit
def test_a_setting_that_names_no_program_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TITANIUM_ENVOY", "/nowhere/envoy")
    with pytest.raises(ToolMissingError, match="TITANIUM_ENVOY"):
        tools.find_envoy()


@pytest.mark.unit
def test_without_the_package_path_serves_and_then_the_error_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "find_spec", lambda _name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissingError, match="Valkey was not found") as raised:
        tools.find_redis()
    assert "make up" in raised.value.hint
    (tmp_path / "valkey-server").touch(mode=0o755)
    assert tools.find_redis() == tmp_path / "valkey-server"


APT = """#!/bin/sh
case "$*" in
  *Dir::State::lists*update*) touch "$FAKE/updated" ;;
  *download*)
    [ -e "$FAKE/lists" ] || [ -e "$FAKE/updated" ] || { echo "E: no lists" >&2; exit 100; }
    cp "$FAKE"/*.deb . ;;
  *) exit 1 ;;
esac
"""


@pytest.fixture
def fake_apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a package `tool.deb` and, on PATH, an apt-get that hands it out."""
    folder = tmp_path / "fake"
    tree = tmp_path / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN/control").write_text(
        "Package: tool\nVersion: 1\nArchitecture: all\nMaintainer: x\nDescription: x\n"
    )
    (tree / "usr/bin").mkdir(parents=True)
    (tree / "usr/bin/tool").write_text("#!/bin/sh\necho works\n")
    (tree / "usr/bin/tool").chmod(0o755)
    (tree / "usr/lib/x86_64-linux-gnu").mkdir(parents=True)
    folder.mkdir()
    subprocess.run(
        ["dpkg-deb", "-b", str(tree), str(folder / "tool.deb")], check=True, capture_output=True
    )
    (folder / "apt-get").write_text(APT)
    (folder / "apt-get").chmod(0o755)
    monkeypatch.setenv("FAKE", str(folder))
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


@pytest.mark.integration
def test_a_debian_package_is_unpacked_once(fake_apt: Path, tmp_path: Path) -> None:
    (fake_apt / "lists").touch()
    tree = debian.fetch(("tool",), tmp_path / "tools")
    done = subprocess.run([tree.program("usr/bin/tool")], capture_output=True, text=True)
    assert done.stdout == "works\n"
    assert tree.environment()["LD_LIBRARY_PATH"].endswith("tool/usr/lib/x86_64-linux-gnu")
    (fake_apt / "tool.deb").unlink()
    assert debian.fetch(("tool",), tmp_path / "tools") == tree
    with pytest.raises(ToolMissingError, match="no program usr/bin/other"):
        tree.program("usr/bin/other")


@pytest.mark.integration
def test_without_lists_apt_gets_lists_of_our_own(fake_apt: Path, tmp_path: Path) -> None:
    tree = debian.fetch(("tool",), tmp_path / "tools")
    assert (fake_apt / "updated").exists()
    assert tree.program("usr/bin/tool")


@pytest.mark.integration
def test_a_package_that_cannot_be_had_leaves_nothing_behind(fake_apt: Path, tmp_path: Path) -> None:
    (fake_apt / "apt-get").write_text("#!/bin/sh\necho 'E: Unable to locate' >&2; exit 100\n")
    with pytest.raises(ToolMissingError, match="E: Unable to locate") as raised:
        debian.fetch(("tool",), tmp_path / "tools")
    assert "network" in raised.value.hint
    assert not (tmp_path / "tools/tool").exists()
    assert list((tmp_path / "tools").glob(".tool*")) == []


@pytest.mark.unit
def test_a_system_without_apt_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissingError, match="no apt-get"):
        debian.fetch(("tool",), tmp_path)
