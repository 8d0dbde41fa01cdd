"""promtool runs the rules' own tests, amtool checks the routes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from cli.tests.monitoring.rulefiles import MONITORING, ROOT, RULE_FILES, TESTS
from titanium.errors import ToolMissingError
from titanium.layout import Home, Ports
from titanium.observe.configuration import alertmanager
from titanium.tools import find_alertmanager, find_prometheus

pytestmark = pytest.mark.integration

CLUSTER = MONITORING / "alertmanager" / "cluster.yaml"


@pytest.fixture(scope="module")
def promtool() -> Path:
    try:
        return find_prometheus(ROOT).promtool
    except ToolMissingError as error:
        pytest.skip(f"{error.message}; {error.hint}")


@pytest.fixture(scope="module")
def amtool() -> Path:
    try:
        return find_alertmanager(ROOT).amtool
    except ToolMissingError as error:
        pytest.skip(f"{error.message}; {error.hint}")


def run(*command: str | Path) -> str:
    """Standard output; fails with all that was said unless it ends well."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_promtool_accepts_every_rule(promtool: Path) -> None:
    run(promtool, "check", "rules", "--lint=all", "--lint-fatal", *RULE_FILES)


@pytest.mark.parametrize("file", TESTS, ids=lambda path: path.stem)
def test_the_rules_pass_their_unit_tests(promtool: Path, file: Path) -> None:
    run(promtool, "test", "rules", file)


def test_amtool_accepts_the_cluster_configuration(amtool: Path) -> None:
    run(amtool, "check-config", CLUSTER)


def test_amtool_accepts_the_local_configuration_as_it_is_rendered(
    amtool: Path, tmp_path: Path
) -> None:
    template = (MONITORING / "alertmanager" / "local.yaml").read_text("utf-8")
    rendered = tmp_path / "alertmanager.yml"
    rendered.write_text(alertmanager(template, Home(tmp_path), Ports(26000)))
    assert "@" not in rendered.read_text("utf-8").partition("receivers:")[2]
    run(amtool, "check-config", rendered)


@pytest.mark.parametrize(
    ("severity", "receiver"),
    [("critical", "slack-and-email"), ("warning", "slack"), ("info", "slack")],
)
def test_critical_alerts_go_by_email_too(amtool: Path, severity: str, receiver: str) -> None:
    labels = (f"severity={severity}", "alertname=TitaniumServiceDown", "service=blog")
    said = run(amtool, "config", "routes", "test", f"--config.file={CLUSTER}", *labels)
    assert said.strip() == receiver
