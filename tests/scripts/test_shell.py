"""The scripts that people call: help, dry runs, refusals; and what shellcheck says."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "scripts"
CLOUD = sorted(path for path in SCRIPTS.glob("*.sh") if "_cloud.sh" in path.read_text())
SHELLCHECK = next(
    (str(one) for one in (ROOT / ".venv/bin/shellcheck", shutil.which("shellcheck") or "")
     if one and Path(one).exists()),
    None,
)  # fmt: skip


def run(script: str, *arguments: str, home: Path, code: int = 0) -> str:
    """Both outputs of a script that must end with `code`."""
    done = subprocess.run(
        [str(SCRIPTS / script), *arguments],
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "TITANIUM_CLOUD_HOME": str(home / "cloud"),
            "TITANIUM_SKIP_SETUP": "1",
            "KUBECONFIG": "/dev/null",
        },
        timeout=60,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == code, said
    assert "Traceback" not in said
    return said


@pytest.mark.skipif(SHELLCHECK is None, reason="shellcheck is neither in .venv nor on PATH")
def test_shellcheck_finds_nothing() -> None:
    """In any script, with sourced files followed."""
    scripts = sorted(str(path) for path in SCRIPTS.glob("*.sh"))
    assert SHELLCHECK is not None
    done = subprocess.run(
        [SHELLCHECK, "--external-sources", *scripts, str(ROOT / ".ci/run")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("script", CLOUD, ids=lambda path: path.name)
def test_every_script_explains_itself(script: Path, tmp_path: Path) -> None:
    """--help says how it is called, and does nothing."""
    if script.name == "_cloud.sh":
        pytest.skip("sourced by the others")
    assert os.access(script, os.X_OK)
    assert run(script.name, "--help", home=tmp_path).startswith(f"usage: scripts/{script.name}")


def test_the_names_that_people_expect_are_there() -> None:
    """As the documents call them."""
    wanted = {
        *("switch-to-local", "switch-to-cloud", "deploy-local", "deploy-cloud"),
        *("test-smoke", "test-mtls", "test-policies", "test-failover", "test-load"),
        *("backup", "restore", "rollback", "deploy-observability-stack"),
    }
    assert {path.stem for path in CLOUD} >= wanted


@pytest.mark.parametrize(
    ("script", "arguments", "words"),
    [
        ("test-mtls.sh", ["--dry-run"], "titanium-outside"),
        ("test-policies.sh", ["--dry-run"], "ask blog from a pod of auth: must be refused"),
        ("test-failover.sh", ["--dry-run"], "at most 35 s without"),
        ("test-load.sh", ["http://192.0.2.1", "--scenario", "browse", "--dry-run"],
         "titanium load --url http://192.0.2.1 --scenario browse"),
    ],
)  # fmt: skip
def test_a_dry_run_needs_no_cluster(
    script: str, arguments: list[str], words: str, tmp_path: Path
) -> None:
    """It says what would be done."""
    assert words in run(script, *arguments, home=tmp_path)


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not on PATH")
@pytest.mark.parametrize("script", ["deploy-local.sh", "deploy-observability-stack.sh"])
def test_a_dry_run_lists_what_would_be_applied(script: str, tmp_path: Path) -> None:
    """Rendered by kubectl itself, without a cluster."""
    said = run(script, "--dry-run", home=tmp_path)
    assert "kubectl apply --kustomize" in said
    assert "wait until deployment/" in said


@pytest.mark.parametrize(
    ("script", "arguments", "code", "words"),
    [
        ("switch-to-cloud.sh", ["--env", "/nowhere/.env.k8s"], 2, "Copy .env.k8s.example"),
        ("test-load.sh", [], 2, "the first argument must be the platform's address"),
        ("rollback.sh", ["--commit", "blog"], 2, "--commit needs a service and a tag"),
        ("backup.sh", ["--target", "nowhere"], 2, "is not one of"),
        ("restore.sh", [], 2, "Missing argument"),
    ],
)
def test_a_mistake_is_answered_with_what_to_do(
    script: str, arguments: list[str], code: int, words: str, tmp_path: Path
) -> None:
    """One line what is wrong, one what to do next."""
    assert words in run(script, *arguments, home=tmp_path, code=code)


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not on PATH")
def test_without_a_chosen_cluster_nothing_is_asked(tmp_path: Path) -> None:
    """The next step is named."""
    said = run("backup.sh", home=tmp_path, code=2)
    assert "next:  Choose one: titanium cloud use local" in said


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not on PATH")
def test_a_dry_run_of_the_small_overlay_makes_no_secrets(tmp_path: Path) -> None:
    """It renders a copy with secrets of its own."""
    for part in ("services", "k8s-manifests"):
        ignored = shutil.ignore_patterns("secrets", "__pycache__")
        shutil.copytree(ROOT / part, tmp_path / part, ignore=ignored)
    before = sorted(tmp_path.rglob("*"))
    done = subprocess.run(
        [sys.executable, "-m", "titanium", "cloud", "deploy", "local", "--dry-run"],
        capture_output=True,
        text=True,
        env={**os.environ, "TITANIUM_ROOT": str(tmp_path)},
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "secret/postgres-secrets" in done.stdout
    assert sorted(tmp_path.rglob("*")) == before
