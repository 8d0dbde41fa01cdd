"""With the real Terraform and AWS provider: nothing is asked of AWS."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cli.tests.cost.make_fixtures import make
from cli.tests.cost.support import FIXTURES
from titanium.errors import EXIT_FAILURE, TitaniumError
from titanium.main import run
from titanium.terraform import find_mirror, find_terraform, own_configuration, terraform_in

pytestmark = pytest.mark.cloud

KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_SESSION_TOKEN")


@pytest.fixture(scope="module", autouse=True)
def _terraform() -> None:
    try:
        find_terraform()
    except TitaniumError as error:
        pytest.skip(error.message)
    if find_mirror() is None and own_configuration() is None:
        pytest.skip("no mirror of the AWS provider was found, and no configuration of one")


@pytest.fixture
def platform(tmp_path: Path) -> Path:
    """Never initialized."""
    folder = tmp_path / "platform"
    shutil.copytree(FIXTURES / "platform", folder)
    return folder


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Initialized: that takes as long as planning, so it is done once."""
    folder = tmp_path_factory.mktemp("initialized") / "platform"
    shutil.copytree(FIXTURES / "platform", folder)
    terraform_in(folder, folder / ".terraform").run("init", "-input=false")
    return folder


@pytest.fixture
def initialized(once: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    folder = tmp_path / "initialized"
    shutil.copytree(once, folder, symlinks=True)
    return folder


def test_the_committed_plans_are_what_terraform_writes() -> None:
    """`python -m cli.tests.cost.make_fixtures` rewrites them."""
    for name, text in make().items():
        assert text == (FIXTURES / name).read_text(), name


def test_a_folder_is_planned_and_left_as_it_was(
    platform: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.stat().st_mtime_ns for path in platform.rglob("*")}
    variables = tmp_path / "small.tfvars"
    variables.write_text("database_nodes = 1\n")
    code = run(["cost", str(platform), "--var-file", str(variables), "--var", "logs=false"])
    out = capsys.readouterr().out
    assert code == 0
    assert "TOTAL A MONTH  $360.87" in out
    assert {path: path.stat().st_mtime_ns for path in platform.rglob("*")} == before


def test_a_lock_file_is_kept_and_a_binary_plan_is_read(
    initialized: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = initialized / ".terraform.lock.hcl"
    before = lock.read_bytes()
    plan = tmp_path / "plan"
    terraform = terraform_in(initialized, initialized / ".terraform")
    terraform.run("plan", "-input=false", "-lock=false", f"-out={plan}")
    assert run(["cost", str(initialized), "--plan", str(plan)]) == 0
    assert "TOTAL A MONTH  $448.61" in capsys.readouterr().out
    assert run(["cost", str(initialized), "--var", "logs=false"]) == 0
    assert "TOTAL A MONTH  $448.61" in capsys.readouterr().out
    assert lock.read_bytes() == before


def test_missing_credentials_are_one_clear_line(
    initialized: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for key in KEYS:
        monkeypatch.delenv(key, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(initialized / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(initialized / "none"))
    main = initialized / "main.tf"
    text = main.read_text()
    for line in (
        '  access_key                  = "none"\n',
        '  secret_key                  = "none"\n',
    ):
        assert line in text
        text = text.replace(line, "")
    main.write_text(text.replace("skip_credentials_validation = true", "max_retries = 1"))
    assert run(["cost", str(initialized)]) == EXIT_FAILURE
    out, err = capsys.readouterr()
    assert out == ""
    assert "error: terraform plan failed: No valid credential sources found" in err
    assert "next:  Give AWS credentials" in err


@pytest.mark.parametrize(
    ("options", "says", "hint"),
    [
        (["--var", "no_such=1"], "undeclared variable", "Correct the name of the variable"),
        (["--var-file", "none.tfvars"], "Failed to read variables file", "Run the same"),
        (["--var", "database_nodes=many"], "Invalid value for", "Correct the value"),
    ],
)
def test_what_terraform_refuses_is_said_in_its_words(
    initialized: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    says: str,
    hint: str,
) -> None:
    assert run(["cost", str(initialized), *options]) == EXIT_FAILURE
    err = capsys.readouterr().err
    assert says in err
    assert hint in err


@pytest.mark.parametrize(
    ("argument", "says", "hint"),
    [
        ("count = length(terraform_data.a.id)", "Invalid count argument", "Give count a value"),
        (
            "for_each = toset([terraform_data.a.id])",
            "Invalid for_each argument",
            "Give for_each keys",
        ),
    ],
)
def test_a_number_of_resources_that_only_apply_knows(
    initialized: Path, capsys: pytest.CaptureFixture[str], argument: str, says: str, hint: str
) -> None:
    """There is no plan then, so there is no price either."""
    text = f'resource "terraform_data" "a" {{}}\nresource "aws_eip" "b" {{\n  {argument}\n}}\n'
    (initialized / "unknown.tf").write_text(text)
    assert run(["cost", str(initialized)]) == EXIT_FAILURE
    out, err = capsys.readouterr()
    assert out == ""
    assert f"error: terraform plan failed: {says}" in err
    assert f"next:  {hint}" in err


def test_a_folder_whose_providers_have_gone(
    initialized: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(initialized / ".terraform" / "providers")
    assert run(["cost", str(initialized)]) == EXIT_FAILURE
    assert "next:  Initialize the folder again: terraform init." in capsys.readouterr().err


def test_a_configuration_that_cannot_be_read(
    platform: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (platform / "wrong.tf").write_text('resource "aws_eip" {\n')
    assert run(["cost", str(platform)]) == EXIT_FAILURE
    assert "error: terraform init failed:" in capsys.readouterr().err
