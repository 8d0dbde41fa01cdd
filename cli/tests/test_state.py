"""The state folder: made private, recognized, refused with a next step."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from titanium import state
from titanium.errors import StateError, UsageError
from titanium.layout import Home
from titanium.state import Options

pytestmark = pytest.mark.unit


def test_a_new_folder_is_private_with_everything_in_it(short_folder: Path) -> None:
    home = state.open_home(short_folder / "new")
    for folder in (home.root, home.data, home.logs, home.run, home.certs, home.secrets):
        assert folder.stat().st_mode & 0o777 == 0o700
    assert home.version.read_text() == "1\n"
    assert state.open_home(home.root) == home
    assert state.find_home(home.root) == home


def test_many_at_once_make_one_folder(short_folder: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        for attempt in range(20):
            root = short_folder / f"{attempt}"
            found = list(pool.map(state.open_home, [root] * 16))
            assert found == [state.find_home(root)] * 16
            assert not list(root.glob(".*"))


def test_a_folder_of_a_newer_titanium_is_refused(tmp_path: Path) -> None:
    (tmp_path / "version").write_text("99\n")
    for use in (state.open_home, state.find_home):
        with pytest.raises(StateError, match="newer titanium") as raised:
            use(tmp_path)
        assert "Update" in raised.value.hint


def test_a_folder_that_is_not_ours_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("x")
    tmp_path.chmod(0o755)
    with pytest.raises(StateError, match="not a state folder"):
        state.open_home(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    assert tmp_path.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("text", ["", "one", "\x80"])
def test_a_damaged_version_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "version").write_text(text, "latin-1")
    with pytest.raises(StateError, match="version is damaged"):
        state.open_home(tmp_path)


def test_a_file_in_its_place_is_named(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    with pytest.raises(StateError, match="cannot be used"):
        state.open_home(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_unwritable_folder_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StateError, match="Permission denied"):
        state.open_home(tmp_path / "home")


def test_sockets_of_a_deep_folder_live_in_a_short_private_one(tmp_path: Path) -> None:
    root = tmp_path / ("deep" * 30)
    home = state.open_home(root)
    try:
        assert home.sockets is not None
        assert len(os.fsencode(home.run)) < 61
        assert (root / "run").resolve() == home.run
        assert home.run.stat().st_mode & 0o777 == 0o700
        assert state.find_home(root) == home
        home.run.rmdir()  # as after a reboot
        assert state.open_home(root) == home
        assert home.run.is_dir()
    finally:
        state.delete(home)
    assert not home.run.exists()
    assert not root.exists()


def test_a_foreign_folder_for_sockets_is_refused(tmp_path: Path) -> None:
    root = tmp_path / ("deep" * 30)
    home = state.open_home(root)
    try:
        home.run.chmod(0o777)
        with pytest.raises(StateError, match="not a private folder"):
            state.open_home(root)
    finally:
        state.delete(home)


def test_only_one_holds_the_lock(short_folder: Path) -> None:
    home = state.open_home(short_folder / "home")
    first = state.lock(home)
    assert first is not None
    assert state.lock(home) is None
    os.close(first)
    second = state.lock(home)
    assert second is not None
    os.close(second)


def test_options_are_remembered(short_folder: Path) -> None:
    home = state.open_home(short_folder / "home")
    assert state.load_options(home) == Options()
    options = Options(9000, {"blog": 2}, "/p", bench=True, observability=False)
    state.save_options(home, options)
    assert state.load_options(home) == options
    home.options.write_text("[")
    with pytest.raises(StateError, match="damaged"):
        state.load_options(home)


def test_deleting_leaves_what_is_not_ours(short_folder: Path) -> None:
    home = state.open_home(short_folder / "home")
    (home.root / "notes.txt").touch()
    state.delete(home)
    assert [path.name for path in home.root.iterdir()] == ["notes.txt"]
    (home.root / "notes.txt").unlink()


@pytest.mark.parametrize("value", ["blog", "blog=", "blog=0", "blog=10", "=2", "blog=-1", "b=²"])
def test_impossible_replicas_are_refused(value: str) -> None:
    with pytest.raises(UsageError):
        state.parse_replicas((value,))


def test_replicas_are_read() -> None:
    assert state.parse_replicas(("blog=2", "auth=9")) == {"blog": 2, "auth": 9}


def test_the_option_goes_before_the_setting_before_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TITANIUM_HOME", raising=False)
    assert state.home_folder().name == ".titanium"
    monkeypatch.setenv("TITANIUM_HOME", str(tmp_path / "a"))
    assert state.home_folder() == (tmp_path / "a").resolve()
    assert state.home_folder(str(tmp_path / "b")) == (tmp_path / "b").resolve()


def test_sockets_are_in_run_when_the_folder_is_shallow() -> None:
    assert Home(Path("/h")).run == Path("/h/run")
