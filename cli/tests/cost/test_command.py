"""`titanium cost` on the command line: options, exit codes, one clear line for each bad input."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.tests.cost.support import FIXTURES
from titanium.errors import EXIT_BUDGET, EXIT_TOOL_MISSING, EXIT_UNPRICED, EXIT_USAGE
from titanium.main import cli, run

pytestmark = pytest.mark.unit

CREATE, CHANGE, STATE = (str(FIXTURES / f"{one}.json") for one in ("create", "change", "state"))


def cost(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    try:
        code = run(["cost", *arguments])
    except SystemExit as exit_:
        code = int(exit_.code or 0)
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return code, out, err


def test_help_has_examples_and_exit_codes() -> None:
    text = CliRunner().invoke(cli, ["cost", "--help"]).output
    assert f"{EXIT_BUDGET}   estimated, and above the budget" in text
    assert f"{EXIT_UNPRICED}  a resource has no price" in text
    assert "titanium cost --plan plan.json --budget 450" in text


def test_every_commands_help_names_the_exit_codes() -> None:
    text = CliRunner().invoke(cli, ["--help"]).output
    assert f"{EXIT_BUDGET}    an estimate is above its budget" in text
    assert f"{EXIT_UNPRICED}   a resource has no price" in text


def test_a_plan_within_its_budget(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = cost(capsys, "--plan", CREATE, "--budget", "450")
    assert (code, err) == (0, "")
    assert "TOTAL A MONTH  $448.61" in out
    assert "within the budget of $450.00: $1.39 left" in out
    assert "the plan: 19 create" in out


def test_a_plan_above_its_budget_is_shown_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = cost(capsys, "--plan", CREATE, "--budget", "$448.60")
    assert code == EXIT_BUDGET
    assert "TOTAL A MONTH  $448.61" in out
    assert err == "over the budget: $0.01 above the budget of $448.60\n"


def test_the_budget_is_about_the_total_not_the_change(capsys: pytest.CaptureFixture[str]) -> None:
    """A plan that makes things cheaper still fails while the total is above."""
    code, out, _ = cost(capsys, "--plan", CHANGE, "--budget", "400")
    assert "$43.87 less than what exists" in out
    assert code == EXIT_BUDGET


def test_the_schedule_counts_towards_the_budget(capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--plan", CREATE, "--budget", "350")
    assert cost(capsys, *options)[0] == EXIT_BUDGET
    assert cost(capsys, *options, "--schedule", "office-hours")[0] == 0


@pytest.mark.parametrize(
    "amount",
    ["0", "0.00", "-5", "nan", "inf", "1e999999", "1000000000.01", "449.999", "450,00", "much", ""],
)
def test_a_budget_of_nothing_is_refused(capsys: pytest.CaptureFixture[str], amount: str) -> None:
    code, out, err = cost(capsys, "--plan", CREATE, "--budget", amount)
    assert (code, out) == (EXIT_USAGE, "")
    assert "Invalid value for '--budget'" in err


def test_a_state_is_priced_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert "TOTAL A MONTH  $448.61" in cost(capsys, "--plan", STATE)[1]


def test_a_plan_on_standard_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(Path(STATE).read_bytes())))
    code, out, _ = cost(capsys, "--plan", "-")
    assert code == 0
    assert out.startswith("standard input\n")


def test_a_comparison_with_a_plan_a_state_and_an_estimate(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    old = tmp_path / "main.json"
    assert cost(capsys, "--plan", CREATE, "--format", "json", "--output", str(old))[0] == 0
    for other in (CREATE, STATE, str(old)):
        code, out, _ = cost(capsys, "--plan", CHANGE, "--compare", other)
        assert code == 0
        assert f"$43.87 less than {Path(other).name} ($448.61)" in out


def test_a_comparison_with_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        "the same as create.json ($448.61)"
        in cost(capsys, "--plan", CREATE, "--compare", CREATE)[1]
    )


def test_a_small_difference_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--plan", CHANGE, "--compare", CREATE, "--quiet-below")
    assert cost(capsys, *options, "50")[:2] == (0, "")
    assert "less than" in cost(capsys, *options, "40")[1]
    code, out, _ = cost(capsys, *options, "50", "--budget", "1")
    assert code == EXIT_BUDGET
    assert out
    code, _, err = cost(capsys, "--plan", CHANGE, "--quiet-below", "5")
    assert code == EXIT_USAGE
    assert "needs --compare" in err


def test_what_exists_and_has_no_price_does_not_hide_the_estimate(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """It is about to be deleted: only the difference is unknown."""
    data = json.loads(Path(CHANGE).read_text())
    gone = {"address": "aws_kms_key.a", "mode": "managed", "type": "aws_kms_key", "values": {}}
    data["prior_state"]["values"]["root_module"]["resources"].append(gone)
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(data))
    code, out, err = cost(capsys, "--plan", str(file))
    assert code == 0
    assert "TOTAL A MONTH  $404.74" in out
    assert err == "no difference to what exists: 1 resource has no price, and $0 would be wrong\n"


def test_an_unpriced_resource_ends_the_run_with_nothing_on_standard_output(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    data = json.loads(Path(CREATE).read_text())
    more = {"address": "aws_kms_key.a", "mode": "managed", "type": "aws_kms_key", "values": {}}
    data["planned_values"]["root_module"]["resources"].append(more)
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(data))
    for form in ("table", "json", "markdown", "html", "svg"):
        code, out, err = cost(capsys, "--plan", str(file), "--format", form)
        assert (code, out) == (EXIT_UNPRICED, "")
        assert "error: 1 resource has no price, and $0 would be wrong" in err
        assert "aws_kms_key.a (aws_kms_key), type: is neither priced nor declared free" in err
    own = tmp_path / "own.toml"
    own.write_text('[prices]\n"type.aws_kms_key" = { usd = "1", per = "month" }\n')
    code, out, _ = cost(capsys, "--plan", str(file), "--prices", str(own))
    assert code == 0
    assert "TOTAL A MONTH  $449.61" in out


def test_files_beside_the_configuration_are_read(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The usage file and prices of a folder; a plan alone has none."""
    (tmp_path / "infracost-usage.yml").write_text(
        "version: 0.1\nresource_type_default_usage:\n  aws_nat_gateway:\n"
        "    monthly_data_processed_gb: 100\n"
    )
    (tmp_path / "prices.toml").write_text('[prices]\n"nat.gb" = { usd = "1", per = "GB" }\n')
    assert "$548.61" in cost(capsys, str(tmp_path), "--plan", CREATE)[1]
    assert "$448.61" in cost(capsys, "--plan", CREATE)[1]


def test_output_goes_to_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "cost.svg"
    code, out, _ = cost(capsys, "--plan", CREATE, "--format", "svg", "--output", str(file))
    assert (code, out) == (0, f"Written: {file}\n")
    assert file.read_text().startswith("<svg")
    code, _, err = cost(capsys, "--plan", CREATE, "--output", str(tmp_path / "no" / "file"))
    assert code == EXIT_USAGE
    assert "cannot be written" in err


def test_explain(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = cost(capsys, "--explain")
    assert code == 0
    assert "$1,054.85" in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--plan", "none.json"], "none.json cannot be read"),
        (["--plan", CREATE, "--region", "mars-1"], "no prices for region mars-1"),
        (["--plan", CREATE, "--usage-file", "none.yml"], "none.yml cannot be read"),
        (["--plan", CREATE, "--prices", "none.toml"], "none.toml: the file does not exist"),
        (["--plan", CREATE, "--compare", "none.json"], "none.json cannot be read"),
        (["--plan", CREATE, "--schedule", "weekends"], "'weekends' is not 'office-hours'"),
        (["--plan", CREATE, "--format", "pdf"], "'pdf' is not one of"),
        (["--plan", CREATE, "--var", "a=b"], "variables cannot change it"),
        (["no-such-folder"], "there is no such folder"),
        (["no-such-folder", "--plan", CREATE], "there is no such folder"),
    ],
)
def test_wrong_options_are_one_clear_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    code, out, err = cost(capsys, *arguments)
    assert (code, out) == (EXIT_USAGE, "")
    assert says in err


def test_a_folder_without_configuration(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, _, err = cost(capsys, str(tmp_path))
    assert code == EXIT_USAGE
    assert "holds no Terraform configuration" in err


def test_a_missing_terraform_is_said(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("TITANIUM_TERRAFORM", raising=False)
    shutil.copytree(FIXTURES / "platform", tmp_path / "platform")
    code, _, err = cost(capsys, str(tmp_path / "platform"))
    assert code == EXIT_TOOL_MISSING
    assert "Terraform was not found" in err


def test_providers_in_two_regions_need_a_choice(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    data = json.loads(Path(CREATE).read_text())
    other = {"name": "aws", "expressions": {"region": {"constant_value": "us-east-1"}}}
    data["configuration"]["provider_config"]["aws.us"] = other
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(data))
    code, _, err = cost(capsys, "--plan", str(file))
    assert code == EXIT_USAGE
    assert "providers in ap-northeast-2, us-east-1" in err
    assert cost(capsys, "--plan", str(file), "--region", "ap-northeast-2")[0] == 0


def test_no_secret_of_a_plan_is_shown(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Plans hold passwords in the clear."""
    data = json.loads(Path(CREATE).read_text())
    values = {
        "engine": "postgres",
        "instance_class": "db.t3.medium",
        "allocated_storage": 20,
        "password": "hunter2-in-the-clear",
    }
    one = {"address": "aws_db_instance.a", "mode": "managed", "type": "aws_db_instance"}
    data["planned_values"]["root_module"]["resources"].append({**one, "values": values})
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(data))
    for form in ("table", "json", "markdown", "html", "svg"):
        code, out, err = cost(capsys, "--plan", str(file), "--format", form)
        assert code == 0
        assert "hunter2" not in out + err
