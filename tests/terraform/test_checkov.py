"""Checkov's policies: no finding in Terraform that is not explained beside the code."""

from __future__ import annotations

import re
import shutil
from typing import Any

import pytest

from tests.checkov_support import checkov_program, checkov_reports
from tests.terraform.support import SOURCES

pytestmark = pytest.mark.cloud

# What must be found, so that a run that reads nothing does not pass.
BAD = "aws_security_group.open_to_the_world"
BAD_GROUP = """
resource "aws_security_group" "open_to_the_world" {
  ingress {
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Of a copy of terraform/, as it is in Git, and one mistake."""
    program = checkov_program()
    folder = tmp_path_factory.mktemp("checkov")
    sources = folder / "terraform"
    ignored = shutil.ignore_patterns(".terraform*", "*.tfstate*", "terraform.tfvars")
    shutil.copytree(SOURCES, sources, ignore=ignored)
    bad = sources / "modules" / "bad"
    bad.mkdir()
    (bad / "main.tf").write_text(BAD_GROUP)
    (found,) = checkov_reports(program, sources, ["terraform"], home=folder, timeout=600)
    return found


def test_bar_58_checkov_finds_nothing_that_is_not_explained(report: dict[str, Any]) -> None:
    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["passed"] > 500
    left = {
        f"{one['check_id']} {one['file_path']} {one['resource']}: {one['check_name']}"
        for one in report["results"]["failed_checks"]
        if one["resource"] != BAD
    }
    assert left == set()


def test_checkov_would_have_found_ssh_open_to_the_world(report: dict[str, Any]) -> None:
    found = {one["check_id"] for one in report["results"]["failed_checks"]}
    assert "CKV_AWS_24" in found


def test_every_exception_says_why() -> None:
    for path in SOURCES.rglob("*.tf"):
        for skip in re.findall(r"checkov:skip=(.*)", path.read_text("utf-8")):
            check, _, reason = skip.partition(":")
            assert re.fullmatch(r"CKV2?_[A-Z0-9]+_\d+", check), (path, skip)
            assert len(reason.split()) >= 2, (path, skip)
