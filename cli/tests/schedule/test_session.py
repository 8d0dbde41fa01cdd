"""What keeps a command from speaking to AWS is one line each, before anything is asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from botocore import exceptions
from click.testing import CliRunner

from titanium.aws import speaking_to_aws
from titanium.errors import EXIT_USAGE, TitaniumError, UnhealthyError, UsageError
from titanium.main import cli
from titanium.schedule.resources import only

pytestmark = pytest.mark.unit


def refusal(*arguments: str) -> TitaniumError:
    result = CliRunner().invoke(cli, ["schedule", *arguments])
    assert isinstance(result.exception, TitaniumError), (result.output, result.exception)
    assert "\n" not in result.exception.message
    return result.exception


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """Credentials, a region, and nothing of who runs the tests."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_REGION", "ap-northeast-2")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    return monkeypatch


def test_an_endpoint_that_is_none(account: pytest.MonkeyPatch) -> None:
    account.setenv("AWS_ENDPOINT_URL", "foo")
    error = refusal("plan")
    assert error.message == "Invalid endpoint: foo"
    assert error.hint == "Correct or unset AWS_ENDPOINT_URL."
    assert error.exit_code == EXIT_USAGE


def test_a_configuration_of_aws_that_cannot_be_read(
    account: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text("[x\n")
    error = refusal("plan")
    assert "Unable to parse config file" in error.message
    assert error.exit_code == EXIT_USAGE


def test_half_of_a_pair_of_credentials(account: pytest.MonkeyPatch) -> None:
    account.delenv("AWS_SECRET_ACCESS_KEY")
    error = refusal("plan")
    assert error.message.startswith("there are no AWS credentials: Partial credentials")
    assert error.exit_code == EXIT_USAGE


def test_a_sign_in_that_is_over() -> None:
    with pytest.raises(UsageError, match="AWS sign-in is missing or over"), speaking_to_aws():
        raise exceptions.UnauthorizedSSOTokenError


def test_a_mistake_of_ours_is_no_mistake_of_the_persons() -> None:
    """It keeps its traceback."""
    with pytest.raises(ValueError, match="something else"), speaking_to_aws():
        raise ValueError("something else")


def test_a_resource_that_goes_meanwhile_is_said_to_be_gone() -> None:
    assert only(["it"]) == "it"
    with pytest.raises(UnhealthyError, match="it is gone"):
        only([])


@pytest.mark.parametrize("minutes", ["nan", "inf", "0", "-1", "241", "many"])
def test_a_time_to_wait_is_a_number_of_minutes(minutes: str) -> None:
    """Not a number is neither below nor above any other: it would mean for ever."""
    result = CliRunner().invoke(cli, ["schedule", "now", "stop", "--timeout", minutes])
    assert result.exit_code == EXIT_USAGE
    assert "--timeout" in result.output
