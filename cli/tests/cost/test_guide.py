"""docs/how-to/estimate-cost.md says what the code does."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
import yaml

from cli.tests.cost.support import CATALOG, FIXTURES
from titanium.commands.cost import FORMATS
from titanium.cost.catalog import load_catalog
from titanium.cost.explain import figures
from titanium.cost.pricing import PRICERS
from titanium.cost.usage import load_usage
from titanium.errors import EXIT_BUDGET, EXIT_UNPRICED
from titanium.main import run

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[3]
ENVIRONMENT = ROOT / "terraform" / "environments" / "aws"
GUIDE = (ROOT / "docs" / "how-to" / "estimate-cost.md").read_text()


def block(language: str) -> str:
    return GUIDE.split(f"```{language}\n")[1].split("```")[0]


def test_every_priced_type_format_and_exit_code_is_documented() -> None:
    for name in (*PRICERS, *FORMATS):
        assert f"`{name}`" in GUIDE, name
    for code in (EXIT_BUDGET, EXIT_UNPRICED):
        assert f"\n| {code} | " in GUIDE


def test_the_first_look_is_what_the_command_shows(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    plan = (FIXTURES / "create.json").relative_to(ROOT)
    command = f"--plan {plan} --schedule office-hours --budget 450"
    shown = block("console").splitlines()
    assert shown[0].endswith(f"titanium cost {command}")
    assert run(["cost", *command.split()]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in shown[1:] if line not in (*lines, "...")] == []


def test_each_figure_of_the_documents_is_explained() -> None:
    for one in figures(CATALOG):
        assert one.found.replace("%", " %") in GUIDE, one


def test_the_example_of_a_usage_file_is_one(tmp_path: Path) -> None:
    file = tmp_path / "usage.yml"
    file.write_text(block("yaml"))
    assert load_usage(file).transfers()


def test_the_example_of_own_prices_is_one(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(block("toml"))
    assert load_catalog(additions=file).find("ec2.m6g.large")


def test_the_environments_files_are_valid_and_the_prices_say_their_source() -> None:
    usage = load_usage(ENVIRONMENT / "infracost-usage.yml")
    assert (
        str(yaml.safe_load((ENVIRONMENT / "infracost-usage.yml").read_text())["version"]) == "0.1"
    )
    assert set(usage.defaults) <= set(PRICERS)
    text = (ENVIRONMENT / "prices.toml").read_text()
    own = tomllib.loads(text)["prices"]
    assert [key for key, one in own.items() if not one.get("note")] == []
    # What the catalogue has is not said twice.
    assert not set(own) & set(CATALOG.prices)
