"""The commands as people type them: messages, exit codes, and where things are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.tests.transfer.support import FakePlatform, MakeLegacy
from titanium import main
from titanium.errors import EXIT_FAILURE, EXIT_NOT_RUNNING, EXIT_OK, EXIT_REJECTED, EXIT_USAGE
from titanium.layout import Home
from titanium.state import open_home

pytestmark = pytest.mark.unit

HASH = "pbkdf2:sha256:600000$salt$" + "0" * 64
AT = "2023-04-05 06:07:08"


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A state folder in which nothing runs."""
    return open_home(tmp_path / "state")


def said(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = main.run([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize(
    "arguments",
    [("seed",), ("keys", "rotate"), ("user", "disable", "kim"), ("user", "enable", "--", "-kim")],
    ids=" ".join,
)
def test_commands_that_need_a_running_platform_say_how_to_start_it(
    home: Home, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    option = ("--home", str(home.root))
    words = (
        (*arguments[:2], *option, *arguments[2:]) if len(arguments) > 1 else (*arguments, *option)
    )
    code, _, err = said(capsys, *words)
    assert code == EXIT_NOT_RUNNING
    assert "no database is running" in err
    assert "titanium up -d" in err


def test_an_import_needs_a_running_platform_and_a_dry_run_does_not(
    home: Home, capsys: pytest.CaptureFixture[str], make_legacy: MakeLegacy
) -> None:
    path = make_legacy([(1, "kim", "k@example.org", HASH)], [(1, "t", "c", "kim", AT, AT)])
    code, _, err = said(capsys, "db", "import-sqlite", path, "--home", home.root)
    assert (code, "no database is running" in err) == (EXIT_NOT_RUNNING, True)
    code, out, _ = said(capsys, "db", "import-sqlite", path, "--dry-run")
    assert code == EXIT_OK
    assert "users  1 read, 1 can be moved, 0 cannot" in out
    assert "posts  1 read, 1 can be moved, 0 cannot" in out


def test_a_file_that_is_no_database_ends_with_one_line_and_the_next_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (tmp_path / "none.db", tmp_path):
        code, _, err = said(capsys, "db", "import-sqlite", path, "--dry-run")
        assert code == EXIT_USAGE
        assert len(err.splitlines()) == 2
        assert err.splitlines()[1].startswith("next:  ")


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch, home: Home) -> FakePlatform:
    """Stands in for the running platform of `home`."""
    fake = FakePlatform()

    class Local:
        def __init__(self, found: Home) -> None:
            assert found.root == home.root

        def __enter__(self) -> FakePlatform:
            return fake

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr("titanium.transfer.platform.LocalPlatform", Local)
    return fake


def test_rejected_rows_have_an_exit_code_a_table_and_a_file_of_their_own(
    home: Home,
    platform: FakePlatform,
    capsys: pytest.CaptureFixture[str],
    make_legacy: MakeLegacy,
) -> None:
    path = make_legacy(
        [(1, "kim", "k@example.org", HASH)],
        [(1, "t", "c", "kim", AT, AT), (2, "", "c", "kim", AT, AT), (3, "u", "c", "gone", AT, AT)],
    )
    code, out, err = said(capsys, "db", "import-sqlite", path, "--home", home.root)
    assert code == EXIT_REJECTED
    assert "posts  3 read, 2 created, 0 already there, 1 rejected" in out
    assert "for authors without a row in users: gone" in out
    assert "read back: 2 posts have the same title, text and author" in out
    assert "title: is empty" in out
    (written,) = Path.cwd().glob("import-rejected-*.json")
    assert written.name in err
    assert [row["row"]["id"] for row in json.loads(written.read_text())["rejected"]] == [2]
    assert len(platform.posts) == 2


def test_everything_moved_is_exit_code_0_and_no_file(
    home: Home,
    platform: FakePlatform,
    capsys: pytest.CaptureFixture[str],
    make_legacy: MakeLegacy,
) -> None:
    path = make_legacy([(1, "kim", "k@example.org", HASH)], [(1, "t", "c", "kim", AT, AT)])
    command = ("db", "import-sqlite", path, "--home", home.root)
    assert said(capsys, *command)[0] == EXIT_OK
    next(iter(platform.posts.values()))["content"] = "changed here"
    code, out, _ = said(capsys, *command)
    assert code == EXIT_OK
    assert "0 created, 1 already there" in out
    assert "kept as they are now: 1 posts" in out
    assert not list(Path.cwd().iterdir())


def test_what_does_not_arrive_as_sent_fails(
    home: Home,
    platform: FakePlatform,
    capsys: pytest.CaptureFixture[str],
    make_legacy: MakeLegacy,
) -> None:
    platform.damage = "!"
    path = make_legacy([(1, "kim", "k@example.org", HASH)], [(1, "t", "c", "kim", AT, AT)])
    code, _, err = said(capsys, "db", "import-sqlite", path, "--home", home.root)
    assert code == EXIT_FAILURE
    assert "what arrived is not what was sent: post 1 differs" in err


def test_seed_says_what_it_did_and_where_the_password_is_but_not_the_password(
    home: Home, platform: FakePlatform, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = said(capsys, "seed", "--home", home.root)
    assert code == EXIT_OK
    assert "6 users and 40 posts added" in out
    password = home.secret("demo", "password")
    assert str(password) in out
    assert password.read_text() not in out
    assert "40 posts were already there" in said(capsys, "seed", "--home", home.root)[1]
    assert len(platform.posts) == 40


@pytest.mark.parametrize(
    "words",
    ["seed", "db", "db migrate", "db import-sqlite", "keys rotate", "user disable", "new service"],
)
def test_help_has_examples(capsys: pytest.CaptureFixture[str], words: str) -> None:
    code, out, _ = said(capsys, *words.split(), "--help")
    assert code == 0
    assert "Examples:" in out
