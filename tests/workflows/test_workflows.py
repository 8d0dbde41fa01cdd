"""The workflows keep their rules: schema, zizmor, pins, least privilege, bounded time."""

from __future__ import annotations

import re
import subprocess
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
ACTIONS = sorted((GITHUB / "actions").glob("*/action.yml"))
BIN = ROOT / ".venv" / "bin"
PIN = re.compile(r"^[A-Za-z0-9_.-]+/[A-Za-z0-9_./-]+@[0-9a-f]{40}$")
# The only rights that a job may ask for, and where.
RIGHTS = {
    ("ci.yml", "image"): {"contents": "read", "security-events": "write"},
    ("ci.yml", "images"): {"contents": "read", "pull-requests": "write"},
    ("deploy.yml", "image"): {
        "contents": "read",
        "packages": "write",
        "security-events": "write",
    },
    ("deploy.yml", "publish"): {"packages": "write", "id-token": "write"},
    ("deploy.yml", "deploy"): {"contents": "write"},
    ("rollback.yml", "rollback"): {"contents": "write"},
}


def load(path: Path) -> dict[Any, Any]:
    loaded: dict[Any, Any] = yaml.safe_load(path.read_text())
    return loaded


def triggers(workflow: dict[Any, Any]) -> dict[str, Any]:
    # YAML 1.1 reads the key `on` as true.
    found: dict[str, Any] = workflow[True]
    return found


def jobs() -> list[Any]:
    return [
        pytest.param(path, name, job, id=f"{path.name}-{name}")
        for path in WORKFLOWS
        for name, job in load(path)["jobs"].items()
    ]


def steps() -> list[tuple[str, dict[str, Any]]]:
    found = [
        (path.name, step)
        for path in WORKFLOWS
        for job in load(path)["jobs"].values()
        for step in job["steps"]
    ]
    return found + [
        (path.parent.name, step) for path in ACTIONS for step in load(path)["runs"]["steps"]
    ]


def tool(name: str) -> str:
    if not (BIN / name).exists():
        pytest.skip(f"{name} is not in .venv/bin")
    return str(BIN / name)


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("vendor.github-workflows", WORKFLOWS),
        ("vendor.github-actions", ACTIONS),
        ("vendor.dependabot", [GITHUB / "dependabot.yml"]),
    ],
)
def test_files_match_their_schema(schema: str, files: list[Path]) -> None:
    """The schemas that check-jsonschema brings along: nothing is fetched."""
    done = subprocess.run(
        [tool("check-jsonschema"), "--builtin-schema", schema, *map(str, files)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_zizmor_finds_nothing() -> None:
    """Offline, at its strictest; what is ignored says why in the line above."""
    done = subprocess.run(
        [tool("zizmor"), "--offline", "--no-progress", "--persona", "auditor", str(GITHUB)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No findings to report" in done.stdout + done.stderr


def test_every_action_is_pinned_to_a_commit_and_says_its_version() -> None:
    """A tag can be moved, as happened to Trivy's in 2026; one action, one version everywhere."""
    versions: dict[str, set[str]] = {}
    for path in (*WORKFLOWS, *ACTIONS):
        for line in path.read_text().splitlines():
            if not (match := re.match(r"\s*(?:- )?uses: (\S+)(?:\s+# (.*))?$", line)):
                continue
            action, comment = match.groups()
            if action.startswith("./"):
                assert (ROOT / action / "action.yml").is_file()
                continue
            assert PIN.match(action), f"{path.name}: {action}"
            assert re.fullmatch(r"v\d+\.\d+\.\d+", comment or ""), f"{path.name}: {line.strip()}"
            versions.setdefault(action.partition("@")[0], set()).add(f"{action} {comment}")
    assert versions
    assert {name: pins for name, pins in versions.items() if len(pins) > 1} == {}


@pytest.mark.parametrize(("path", "name", "job"), jobs())
def test_every_job_asks_for_what_it_needs_and_ends_in_time(
    path: Path, name: str, job: dict[str, Any]
) -> None:
    """Nothing is inherited: the workflow itself grants no right."""
    assert load(path)["permissions"] == {}
    assert job["permissions"] == RIGHTS.get((path.name, name), {"contents": "read"})
    assert 0 < job["timeout-minutes"] <= 30
    assert "ubuntu-latest" not in str(job["runs-on"])


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_runs_do_not_pile_up_and_strangers_get_no_secret(path: Path) -> None:
    """A concurrency group each; never pull_request_target, never all secrets."""
    workflow = load(path)
    assert workflow["concurrency"]["group"]
    assert not {"pull_request_target", "workflow_run", "issue_comment"} & set(triggers(workflow))
    assert "secrets: inherit" not in path.read_text()
    assert "secrets." not in path.read_text()


def test_no_shell_line_holds_an_expression() -> None:
    """What an event says is data: it comes in by the environment."""
    for name, step in steps():
        assert "${{" not in step.get("run", ""), f"{name}: {step.get('name')}"


def test_checkouts_leave_no_credentials_behind() -> None:
    """A later step could read them."""
    for name, step in steps():
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False, name


def test_high_and_critical_findings_fail_the_build() -> None:
    """Unfixed ones too; exceptions are in one file, with a reason and an end."""
    scans = [step for _, step in steps() if "trivy-action" in step.get("uses", "")]
    gates = [step["with"] for step in scans if step["with"].get("exit-code") == "1"]
    assert len(gates) == 1
    assert gates[0]["severity"] == "HIGH,CRITICAL"
    assert gates[0]["format"] == "sarif"
    assert all("ignore-unfixed" not in step["with"] for step in scans)
    assert not any(step.get("continue-on-error") for _, step in steps())
    ignored = yaml.safe_load((ROOT / ".trivyignore.yaml").read_text())
    for one in (entry for entries in ignored.values() for entry in entries):
        assert one.get("statement"), one
        end = date.fromisoformat(str(one["expired_at"]))
        assert end <= date.today() + timedelta(days=90), one  # noqa: DTZ011


def test_pull_requests_push_nothing() -> None:
    """No registry is named and no package right is asked for."""
    text = (GITHUB / "workflows" / "ci.yml").read_text()
    assert "packages:" not in text
    assert "login-action" not in text
    assert "tag: pr-${{ github.event.pull_request.number }}" in text


def test_the_commit_that_sets_tags_starts_nothing() -> None:
    """Both workflows leave its one file out."""
    for name in ("ci.yml", "deploy.yml"):
        push = triggers(load(GITHUB / "workflows" / name))["push"]
        assert push == {
            "branches": ["main"],
            "paths-ignore": ["k8s-manifests/overlays/*/kustomization.yaml"],
        }
    assert "[skip ci]" in (ROOT / "scripts" / "commit-image-tags.sh").read_text()


def test_deployments_wait_for_each_other() -> None:
    """A rollback, too: two commits at once would overwrite each other's tags."""
    for name in ("deploy.yml", "rollback.yml"):
        concurrency = load(GITHUB / "workflows" / name)["concurrency"]
        assert concurrency == {"group": "deploy-main", "cancel-in-progress": False}


def test_nothing_is_published_before_it_was_checked_scanned_and_signed() -> None:
    """The order of deploy.yml."""
    found = load(GITHUB / "workflows" / "deploy.yml")["jobs"]
    assert set(found["publish"]["needs"]) == {"changes", "check", "image"}
    assert set(found["deploy"]["needs"]) == {"changes", "publish"}
    assert "cosign sign" in found["publish"]["steps"][-1]["run"]


def test_a_rollback_offers_every_service() -> None:
    """A choice cannot be computed in a workflow; it is held against the folders here."""
    workflow = load(GITHUB / "workflows" / "rollback.yml")
    options = triggers(workflow)["workflow_dispatch"]["inputs"]["service"]["options"]
    services = {path.name for path in (ROOT / "services").iterdir() if path.is_dir()}
    assert set(options) == services
