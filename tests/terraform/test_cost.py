"""Both profiles of environments/aws have a price for everything, and the light one is in budget."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.terraform.life import Applied
from tests.terraform.support import ROOT, SOURCES
from titanium.errors import EXIT_BUDGET
from titanium.main import run

pytestmark = pytest.mark.cloud

ENVIRONMENT = SOURCES / "environments" / "aws"
SCHEDULE = ("--schedule", "office-hours")


def estimated(folder: Path, profile: Applied, *options: str) -> tuple[int, dict[str, Any]]:
    """Exit code and JSON of `titanium cost` for the profile's plan, with the folder's usage file
    and prices."""
    plan, output = folder / "plan.json", folder / "cost.json"
    plan.write_text(json.dumps(profile.plan))
    words = ["cost", str(ENVIRONMENT), "--plan", str(plan)]
    try:
        code = run([*words, "--format", "json", "--output", str(output), *options])
    except SystemExit as exit_:
        code = int(exit_.code or 0)
    assert output.exists(), "nothing was estimated: standard error names what has no price"
    data: dict[str, Any] = json.loads(output.read_text())
    return code, data


def notes_of(data: dict[str, Any]) -> list[str]:
    notes: list[str] = data["projects"][0]["metadata"]["titanium"]["notes"]
    return notes


def test_the_light_profile_is_in_budget_with_its_schedule(tmp_path: Path, light: Applied) -> None:
    code, data = estimated(tmp_path, light, *SCHEDULE, "--budget", "450")
    assert code == 0
    total = Decimal(data["totalMonthlyCost"])
    assert Decimal(300) < total < Decimal(450), total
    names = {one["name"] for one in data["projects"][0]["breakdown"]["resources"]}
    for part in (
        "module.kubernetes.aws_eks_cluster",
        "module.kubernetes.aws_eks_node_group",
        "module.database.",
        "module.cache.aws_elasticache",
        "module.network.aws_nat_gateway",
        "module.vpn.aws_vpn_connection",
        "module.edge.aws_wafv2_web_acl",
        "aws_data_transfer.this",
    ):
        assert any(name.startswith(part) for name in names), part
    # The three database nodes and the node group; every line has its usage.
    assert any("for 4 tagged resources" in note for note in notes_of(data))
    assert not [note for note in notes_of(data) if "nobody gave the usage" in note]


def test_the_standard_profile_is_above_it_and_says_so(tmp_path: Path, standard: Applied) -> None:
    code, data = estimated(tmp_path, standard, *SCHEDULE, "--budget", "450")
    assert code == EXIT_BUDGET
    assert Decimal(data["totalMonthlyCost"]) > Decimal(1000)
    assert data["projects"][0]["metadata"]["titanium"]["overBudget"] is True


def test_what_the_documents_say_it_costs_is_what_it_costs(
    tmp_path: Path, light: Applied, standard: Applied
) -> None:
    """To five dollars: less than anybody decides by."""
    totals = [
        Decimal(estimated(tmp_path, profile, *options)[1]["totalMonthlyCost"])
        for profile, options in ((light, SCHEDULE), (light, ()), (standard, ()))
    ]
    quoted = {
        ENVIRONMENT / "README.md": r"\$(\d+) \(without the schedule: \$(\d+)\) \| \$([\d,]+)",
        ENVIRONMENT / "light.tfvars": r"(\d+) USD a month; (\d+) without",
        ROOT / "docs/how-to/deploy-aws.md": (
            r"\$(\d+) a month with its nights, \$(\d+) without, standard \$([\d,]+)"
        ),
    }
    for file, words in quoted.items():
        found = re.search(words, file.read_text())
        assert found, f"{file} says it no more in these words"
        for said, total in zip(found.groups(), totals, strict=False):
            assert abs(Decimal(said.replace(",", "")) - total) < 5, (file, said, total)
