"""What `titanium new service` writes passes the checks of this repository as it is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from titanium.checkout import checkout
from titanium.scaffold.service import new_service

pytestmark = pytest.mark.integration

# Before and after titanium_kit in the alphabet, with a hyphen, and as long as allowed.
NAMES = ("comments", "order-history", "wish-list", "abcdefghijklmnopqrst1234")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the parts of the checkout that the checks need, with the new services in it."""
    source, target = checkout(), tmp_path_factory.mktemp("checkout")
    for name in ("pyproject.toml", "conftest.py"):
        shutil.copy(source / name, target)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(source / "libs", target / "libs", ignore=ignored)
    # What conftest.py imports.
    (target / "tests").mkdir()
    for name in ("__init__.py", "redis_support.py"):
        shutil.copy(source / "tests" / name, target / "tests")
    for file in source.glob("services/*/service.toml"):
        if file.parent.name not in NAMES:
            folder = target / "services" / file.parent.name
            folder.mkdir(parents=True)
            shutil.copy(file, folder)
    for name in NAMES:
        new_service(target, name)
    return target


def check(root: Path, *command: str, **variables: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=root,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def source_folders(root: Path) -> str:
    return os.pathsep.join(str(path) for path in sorted(root.glob("*/*/src")))


def test_style_and_format_are_clean_whatever_the_name(root: Path) -> None:
    folders = [f"services/{name}" for name in NAMES]
    check(root, "ruff", "check", "--no-cache", *folders)
    check(root, "ruff", "format", "--check", "--no-cache", *folders)


def test_types_are_strict(root: Path) -> None:
    folders = [f"services/{name}" for name in NAMES]
    cache = f"--cache-dir={root / '.mypy_cache'}"
    check(root, "mypy", cache, *folders, MYPYPATH=source_folders(root))


def test_its_own_tests_pass(root: Path) -> None:
    variables = {"PYTHONPATH": source_folders(root), "COVERAGE_PROCESS_START": ""}
    check(root, "pytest", "-q", "-p", "no:cacheprovider", f"services/{NAMES[1]}", **variables)


def test_the_command_adds_its_routes_to_the_published_reference(root: Path) -> None:
    source = checkout()
    for folder in ("mesh", "monitoring"):
        shutil.copytree(source / folder, root / folder)
    shutil.copytree(source / "services/gateway", root / "services/gateway")
    for name in NAMES:
        shutil.rmtree(root / "services" / name)
    check(root, "titanium", "new", "service", "remarks", TITANIUM_ROOT=str(root))
    published = json.loads((root / "docs/reference/openapi.json").read_text())
    assert {"/api/remarks", "/api/posts"} <= set(published["paths"])
    assert "/api/remarks" in (root / "docs/reference/api.html").read_text()
