"""`titanium bench` on the command line."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from titanium.commands.bench import STEPS, command, repeat_with
from titanium.main import cli

pytestmark = pytest.mark.unit


def test_help_explains_exit_codes_and_gives_examples() -> None:
    text = CliRunner().invoke(cli, ["bench", "--help"]).output
    assert "3  measured, a target missed" in text
    assert "titanium bench --million" in text
    assert all(name in text for name in STEPS)


@pytest.mark.parametrize("wrong", [["--only", "nothing"], ["--seconds", "0"], ["--rounds", "x"]])
def test_wrong_options_are_usage_errors_before_anything_starts(wrong: list[str]) -> None:
    assert CliRunner().invoke(command, wrong).exit_code == 2


def test_the_report_names_the_command_that_repeats_it() -> None:
    assert repeat_with(5, 3, (), million=False) == "titanium bench"
    assert (
        repeat_with(2, 1, ("create", "login"), million=True)
        == "titanium bench --seconds 2 --rounds 1 --only create --only login --million"
    )
