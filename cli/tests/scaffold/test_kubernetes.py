"""A new service is whole in a cluster, too: every check of the manifests passes with it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from titanium.checkout import checkout
from titanium.errors import ConfigurationError
from titanium.scaffold.service import new_service

# With a hyphen, which a database's name cannot have.
NAME = "order-history"
PARTS = (
    *("argocd", "k8s-manifests", "mesh", "monitoring", "requirements", "scripts", "services"),
    "terraform/environments/services.yaml",
    *(".ci", ".github", "docs/reference", "libs"),
    *(f"tests/{name}" for name in ("images", "manifests", "performance", "scripts", "workflows")),
    *("tests/__init__.py", "tests/redis_support.py", "tests/support.py"),
    *(".dockerignore", ".gitignore", "conftest.py", "pyproject.toml", "skaffold.yaml"),
)
# Those whose lists name every service.
LISTS = (
    *("k8s-manifests", "services", ".github", "skaffold.yaml"),
    "terraform/environments/services.yaml",
)
# What holds the manifests, images and workflows against the services there are. An image also needs
# its lock, for which packages are looked up (`make lock`).
MANIFESTS = ("base", "catalog", "components", "istio", "linkerd", "network_policy", "production")
CHECKS = (
    *(f"tests/manifests/test_{name}.py" for name in (*MANIFESTS, "production_data", "restricted")),
    "tests/images/test_build_script.py",
    "tests/images/test_changed_services.py",
    "tests/images/test_skaffold.py",
    "tests/images/test_dockerfiles.py::test_the_services_differ_by_their_names_alone",
    "tests/scripts/test_image_tags.py::test_the_repositorys_overlays_can_be_set",
    "tests/workflows/test_workflows.py::test_a_rollback_offers_every_service",
)


def copy(target: Path, parts: tuple[str, ...]) -> Path:
    ignored = shutil.ignore_patterns("__pycache__", "secrets", "*.egg-info")
    for part in parts:
        source = checkout() / part
        if source.is_dir():
            shutil.copytree(source, target / part, ignore=ignored)
        else:
            (target / part).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target / part)
    return target


@pytest.mark.integration
def test_a_service_that_was_just_made_passes_every_check_of_the_manifests(tmp_path: Path) -> None:
    """Each overlay builds, and routes, callers, databases and secrets are the catalog's."""
    if shutil.which("kubectl") is None and shutil.which("kustomize") is None:
        pytest.skip("neither kubectl nor kustomize is on PATH: overlays cannot be built")
    root = copy(tmp_path / "checkout", PARTS)
    (root / ".venv").symlink_to(checkout() / ".venv")

    def run(*command: str) -> None:
        sources = os.pathsep.join(str(path) for path in root.glob("services/*/src"))
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=root,
            env={**os.environ, "TITANIUM_ROOT": str(root), "PYTHONPATH": sources},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]

    run("titanium", "new", "service", NAME)
    run("titanium", "docs", "--check")
    # Not every combination of components: a service changes nothing about those.
    chosen = "not order and not combine and not alone_keeps"
    run("pytest", "-q", "-x", "-p", "no:cacheprovider", "--no-cov", "-k", chosen, *CHECKS)


@pytest.mark.unit
def test_lists_of_all_services_gain_a_line_and_lose_none(tmp_path: Path) -> None:
    root = copy(tmp_path / "checkout", LISTS)
    before = {path: path.read_text() for path in root.rglob("*") if path.is_file()}
    new_service(root, NAME)
    changed = [path for path, text in before.items() if path.read_text() != text]
    assert changed
    for path in changed:
        lines = path.read_text()
        for line in before[path].splitlines():
            # A list on one line grows at its end.
            assert line.rstrip("]") in lines, path
        assert list(yaml.safe_load_all(lines)), path
    skaffold = yaml.safe_load((root / "skaffold.yaml").read_text())
    assert f"titanium/{NAME}" in {one["image"] for one in skaffold["build"]["artifacts"]}
    secrets = yaml.safe_load((root / "terraform/environments/services.yaml").read_text())
    assert secrets["services"][-1] == {
        "name": NAME,
        "keys": ["database_password", "database_owner_password"],
    }


@pytest.mark.unit
def test_a_list_that_is_missing_stops_it_before_anything_is_written(tmp_path: Path) -> None:
    root = copy(tmp_path / "checkout", LISTS)
    (root / "skaffold.yaml").write_text("build: {}\n")
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    with pytest.raises(ConfigurationError, match=r"skaffold.yaml has no list build/artifacts"):
        new_service(root, NAME)
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before
