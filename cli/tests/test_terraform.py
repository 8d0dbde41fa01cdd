"""Terraform and its providers are found where they are; no path of one machine is in the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from titanium.errors import ConfigurationError, TitaniumError, ToolMissingError
from titanium.terraform import (
    REGISTRY,
    Terraform,
    cli_config,
    find_mirror,
    find_terraform,
    own_configuration,
)

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for setting in ("TF_CLI_CONFIG_FILE", "TITANIUM_TERRAFORM", "TITANIUM_TERRAFORM_MIRROR"):
        monkeypatch.delenv(setting, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def mirror_in(folder: Path) -> Path:
    (folder / REGISTRY / "hashicorp" / "aws" / "5.100.0").mkdir(parents=True)
    return folder


def test_a_mirror_is_found_below_a_usual_folder(tmp_path: Path) -> None:
    mirror = mirror_in(tmp_path / "root" / "vendor" / "plugins")
    assert find_mirror(roots=[str(tmp_path / "root")]) == mirror


def test_a_mirror_too_far_below_is_not_searched_for(tmp_path: Path) -> None:
    mirror_in(tmp_path / "root" / "a" / "b" / "c" / "d" / "e")
    assert find_mirror(roots=[str(tmp_path / "root")]) is None


def test_a_mirror_of_other_providers_is_none(tmp_path: Path) -> None:
    (tmp_path / "root" / REGISTRY / "hashicorp" / "google").mkdir(parents=True)
    assert find_mirror(roots=[str(tmp_path / "root")]) is None


def test_a_folder_that_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    assert find_mirror(roots=[str(tmp_path / "missing")]) is None


def test_the_setting_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror = mirror_in(tmp_path / "chosen")
    monkeypatch.setenv("TITANIUM_TERRAFORM_MIRROR", str(mirror))
    assert find_mirror(roots=[]) == mirror


def test_a_setting_without_the_provider_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TITANIUM_TERRAFORM_MIRROR", str(tmp_path))
    with pytest.raises(ConfigurationError, match="hashicorp/aws"):
        find_mirror()


def test_a_configuration_that_is_there_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own.rc"
    own.write_text("")
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(own))
    assert cli_config(tmp_path) == own


def test_a_configuration_that_is_named_but_missing_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(tmp_path / "missing.rc"))
    assert own_configuration() is None


def test_a_mirror_gets_a_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror = mirror_in(tmp_path / "chosen")
    monkeypatch.setenv("TITANIUM_TERRAFORM_MIRROR", str(mirror))
    written = cli_config(tmp_path)
    assert written is not None
    assert f'path    = "{mirror}"' in written.read_text()


def test_a_missing_terraform_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissingError, match="was not found") as caught:
        find_terraform()
    assert "Install Terraform" in caught.value.hint


def test_a_wrong_setting_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TITANIUM_TERRAFORM", str(tmp_path / "nowhere"))
    with pytest.raises(ToolMissingError, match="TITANIUM_TERRAFORM"):
        find_terraform()


def test_what_terraform_said_last_is_in_the_error(tmp_path: Path) -> None:
    fake = tmp_path / "terraform"
    fake.write_text("#!/bin/sh\necho 'Error: no such zone'\nexit 1\n")
    fake.chmod(0o755)
    with pytest.raises(TitaniumError, match="terraform plan failed") as caught:
        Terraform(fake, tmp_path, tmp_path / "data").run("plan")
    assert caught.value.details == ("Error: no such zone",)
