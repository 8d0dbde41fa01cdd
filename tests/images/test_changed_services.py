"""scripts/changed-services.py: which images a change makes anew."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from tests.support import ROOT
from titanium.catalog import load_catalog

SCRIPT = ROOT / "scripts" / "changed-services.py"
ALL = sorted(path.parent.name for path in ROOT.glob("services/*/Dockerfile"))
APPS = [name for name in ALL if name != "gateway"]

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = spec_from_file_location("changed_services", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("services/blog/src/titanium_blog/main.py", ["blog"]),
        ("services/blog/Dockerfile", ["blog"]),
        ("services/blog/pyproject.toml", ["blog"]),
        ("services/blog/service.toml", ["blog", "gateway"]),
        ("services/blog/tests/unit/test_posts.py", []),
        ("services/removed/src/x.py", []),
        ("requirements/user.txt", ["user"]),
        ("requirements/dev.txt", []),
        ("requirements/local.txt", []),
        ("requirements/checkov.in", []),
        ("requirements/checkov.txt", []),
        ("libs/kit/src/titanium_kit/server.py", APPS),
        ("libs/kit/pyproject.toml", APPS),
        ("libs/kit/tests/unit/test_asgi.py", []),
        ("libs/another/src/x.py", APPS),
        ("mesh/policy.toml", ["gateway"]),
        ("services/gateway/edge.toml", ["gateway"]),
        ("services/gateway/kubernetes/envoy.json", ["gateway"]),
        ("services/gateway/Dockerfile", ["gateway"]),
        ("cli/src/titanium/mesh/render/routes.py", ["gateway"]),
        ("cli/src/titanium/mesh/kubernetes.py", ["gateway"]),
        ("cli/src/titanium/catalog.py", ["gateway"]),
        ("cli/src/titanium/bench/run.py", []),
        ("cli/tests/mesh/test_golden.py", []),
        ("docs/how-to/operate.md", []),
        ("docs/reference/openapi.json", []),
        ("tests/images/test_changed_services.py", []),
        ("monitoring/rules/slo.yaml", []),
        ("k8s-manifests/base/blog/deployment.yaml", []),
        ("README.md", []),
        ("Makefile", []),
        ("pyproject.toml", []),
        ("skaffold.yaml", []),
        ("scripts/test.sh", []),
        (".github/workflows/ci.yml", []),
        (".github/actions/build-image/action.yml", ALL),
        ("scripts/build-images.sh", ALL),
        ("scripts/changed-services.py", ALL),
        (".dockerignore", ALL),
        ("something/new", ALL),
        ("mesh/other.toml", ALL),
    ],
)
def test_a_file_rebuilds_what_it_is_part_of(
    script: ModuleType, path: str, expected: list[str]
) -> None:
    assert script.changed([path], ALL) == expected


def test_changes_add_up(script: ModuleType) -> None:
    paths = ["README.md", "services/user/src/x.py", "mesh/policy.toml", "services/user/src/y.py"]
    assert script.changed(paths, ALL) == ["gateway", "user"]
    assert script.changed([], ALL) == []


def test_every_service_with_an_image_is_known(script: ModuleType) -> None:
    assert script.services() == ALL == sorted((*load_catalog(ROOT).names, "gateway"))


def test_every_file_that_an_image_takes_rebuilds_it(script: ModuleType) -> None:
    """What the Dockerfiles copy, held against the rules above."""
    for name in APPS:
        package = f"titanium_{name.replace('-', '_')}"
        for path in (f"requirements/{name}.txt", f"services/{name}/src/{package}/main.py"):
            assert script.changed([path], ALL) == [name]


def run(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=20)


def test_files_on_the_command_line() -> None:
    done = run("--files", "requirements/auth.txt", "docs/index.md")
    assert (done.returncode, json.loads(done.stdout)) == (0, ["auth"])
    assert json.loads(run("--files").stdout) == []
    assert json.loads(run("--all").stdout) == ALL


@pytest.mark.parametrize("base", ["", "0" * 40, "1" * 40, "no-such-branch", "--output=x", "a b"])
def test_an_unknown_base_rebuilds_all(base: str) -> None:
    done = run(f"--base={base}")
    assert (done.returncode, json.loads(done.stdout)) == (0, ALL)
    assert "all images" in done.stderr


def test_a_range_of_commits(script: ModuleType, tmp_path: Path) -> None:
    """Moved files count at both places."""

    def git(*arguments: str) -> None:
        settings = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        subprocess.run(
            ["git", *settings, *arguments], cwd=tmp_path, check=True, capture_output=True
        )

    git("init", "--quiet")
    for name in ("blog", "user"):
        (tmp_path / "services" / name / "src").mkdir(parents=True)
    (tmp_path / "services" / "blog" / "src" / "a.py").write_text("a = 1\n" * 20)
    git("add", ".")
    git("commit", "--quiet", "-m", "one")
    git("mv", "services/blog/src/a.py", "services/user/src/a b.py")
    git("commit", "--quiet", "-m", "two")
    files = script.files_between("HEAD~1", "HEAD", tmp_path)
    assert files == ["services/blog/src/a.py", "services/user/src/a b.py"]
    assert script.changed(files, ALL) == ["blog", "user"]
