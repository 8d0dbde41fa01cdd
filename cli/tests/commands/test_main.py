"""The command line: help, exit codes, and errors in words."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from titanium import errors, main
from titanium.commands.status import duration

pytestmark = pytest.mark.unit

COMMANDS = ("up", "down", "status", "logs", "start", "stop", "restart", "reset", "tools")


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main.run(arguments)
    out, err = capsys.readouterr()
    return code, out, err


def test_help_lists_every_command_and_documents_every_exit_code(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, _ = said(capsys, "--help")
    assert code == 0
    for command in COMMANDS:
        assert f"  {command} " in out
    codes = {value for name, value in vars(errors).items() if name.startswith("EXIT_")}
    documented = {int(found) for found in re.findall(r"^    (\d{1,2}) +\w", out, re.MULTILINE)}
    assert documented == codes


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_has_examples(capsys: pytest.CaptureFixture[str], command: str) -> None:
    code, out, _ = said(capsys, command, "--help")
    assert code == 0
    assert f"  titanium {command}" in out.partition("Examples:")[2]


def test_the_version_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "--version")
    assert code == 0
    assert re.fullmatch(r"titanium \d+\.\d+\.\d+\n", out)


@pytest.mark.parametrize(
    "arguments",
    [
        ("fly",),
        ("up", "--port-base", "x"),
        ("up", "--port-base", "70000"),
        ("up", "--policy", "/nowhere"),
        ("up", "--replicas", "blog"),
        ("restart",),
        ("stop",),
        ("tools", "fly"),
    ],
)
def test_wrong_usage_exits_with_2(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    code, out, err = said(capsys, *arguments)
    assert code == errors.EXIT_USAGE
    assert out == ""
    assert "rror: " in err


@pytest.mark.parametrize("arguments", [("status",), ("restart", "blog"), ("logs",)])
def test_without_a_state_folder_nothing_is_running(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], tmp_path: Path
) -> None:
    code, _, err = said(capsys, *arguments, "--home", str(tmp_path / "none"))
    assert code == errors.EXIT_NOT_RUNNING
    assert err.splitlines()[1] == "next:  Start the platform: titanium up -d"
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("command", ["down", "reset"])
def test_ending_what_does_not_exist_is_no_error(
    capsys: pytest.CaptureFixture[str], command: str, tmp_path: Path
) -> None:
    code, _, err = said(capsys, command, "--home", str(tmp_path / "none"))
    assert (code, err) == (0, "")


def raising(error: BaseException) -> click.Command:
    @click.command()
    def command() -> None:
        raise error

    return command


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> None:
    def get(_group: object, _ctx: object, name: str) -> click.Command:
        known: dict[str, BaseException] = {
            "ours": errors.UnhealthyError("it broke", "mend it", ("line one", "line two")),
            "bug": ZeroDivisionError("one\ntwo"),
            "interrupt": KeyboardInterrupt(),
        }
        return raising(known[name])

    monkeypatch.setattr(main.Commands, "get_command", get)


def test_an_error_of_ours_is_what_is_wrong_the_log_and_the_next_step(
    capsys: pytest.CaptureFixture[str], failing: None
) -> None:
    code, out, err = said(capsys, "ours")
    assert (code, out) == (errors.EXIT_UNHEALTHY, "")
    assert err.splitlines() == [
        "error: it broke",
        "       | line one",
        "       | line two",
        "next:  mend it",
    ]


def test_a_bug_is_one_line_and_the_path_of_its_traceback(
    capsys: pytest.CaptureFixture[str],
    failing: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    code, _, err = said(capsys, "bug")
    assert code == errors.EXIT_FAILURE
    assert len(err.splitlines()) == 2
    assert "Traceback" not in err
    (log,) = tmp_path.glob("titanium-crash-*.log")
    assert str(log) in err
    assert "ZeroDivisionError" in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600


def test_an_interrupt_is_quiet(capsys: pytest.CaptureFixture[str], failing: None) -> None:
    code, _, err = said(capsys, "interrupt")
    assert (code, err.strip()) == (main.INTERRUPTED, "interrupted")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0s"), (59, "59s"), (60, "1m"), (7200, "2h"), (200_000, "2d")]
)
def test_uptime_is_short(seconds: float, text: str) -> None:
    assert duration(seconds) == text
