"""Setting image tags in overlays, the commit of it, and the summary of scans."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
SHA = "0123456789abcdef0123456789abcdef01234567"
OVERLAY = """\
# Why this overlay is as it is.
namespace: titanium-prod
images:
  - name: titanium/blog
    newName: ghcr.io/titanium-platform/titanium-blog
    newTag: main-0000000  # set by the pipeline
  - name: titanium/user
    newName: ghcr.io/titanium-platform/titanium-user
    newTag: "17"
  - name: postgres
    newTag: 17.6-bookworm
patches:
  - path: a.yaml
"""


@pytest.fixture
def overlays(tmp_path: Path) -> Path:
    folder = tmp_path / "k8s-manifests" / "overlays"
    for name in ("solid-cloud", "aws"):
        (folder / name).mkdir(parents=True)
        (folder / name / "kustomization.yaml").write_text(OVERLAY)
    return folder


def set_tags(overlays: Path, *arguments: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts/set-image-tags.py"), "--overlays", str(overlays),
         *arguments],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def tags(file: Path) -> dict[str, str]:
    return {one["name"]: one["newTag"] for one in yaml.safe_load(file.read_text())["images"]}


def test_the_tag_is_set_in_every_overlay_and_nothing_else_changes(overlays: Path) -> None:
    """Comments stay, quotes are added: a tag of digits would be read as a number."""
    set_tags(overlays, f"blog=main-{SHA}", "user=42")
    for name in ("solid-cloud", "aws"):
        text = (overlays / name / "kustomization.yaml").read_text()
        assert text == OVERLAY.replace("newTag: main-0000000 ", f'newTag: "main-{SHA}" ').replace(
            'newTag: "17"', 'newTag: "42"'
        )
        assert tags(overlays / name / "kustomization.yaml")["titanium/user"] == "42"


def test_setting_what_is_set_changes_nothing(overlays: Path) -> None:
    """The pipeline then makes no commit."""
    set_tags(overlays, f"blog=main-{SHA}")
    assert "aws: nothing to change" in set_tags(overlays, f"blog=main-{SHA}")


def test_what_is_set_is_shown_as_json(overlays: Path) -> None:
    """Third-party images are not ours to set."""
    found = json.loads(set_tags(overlays, "--show"))
    assert found["aws"] == {"blog": "main-0000000", "user": "17"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["blog"], "is not SERVICE=TAG"),
        (["blog=latest"], "latest would not say what runs"),
        (["blog=a b"], "is not an image tag"),
        (["blog=$(reboot)"], "is not an image tag"),
        (["blog=a", "blog=b"], "blog is given twice"),
        (["postgres=18"], "has no titanium/postgres"),
        (["../x=1"], "is not SERVICE=TAG"),
        ([], "no SERVICE=TAG was given"),
    ],
)
def test_a_mistake_writes_nothing(overlays: Path, arguments: list[str], words: str) -> None:
    """Also not into the first of two files."""
    assert words in set_tags(overlays, *arguments, code=2)
    assert (overlays / "aws/kustomization.yaml").read_text() == OVERLAY


def test_an_overlay_that_lacks_the_image_stops_all(overlays: Path) -> None:
    """Both environments run the same, or neither changes."""
    lacking = overlays / "aws" / "kustomization.yaml"
    lacking.write_text(OVERLAY.replace("titanium/blog\n", "titanium/other\n", 1))
    assert "aws" in set_tags(overlays, "blog=x1", code=2)
    assert (overlays / "solid-cloud/kustomization.yaml").read_text() == OVERLAY


def test_the_repositorys_overlays_can_be_set() -> None:
    """Each service has a line in each of them."""
    folder = ROOT / "k8s-manifests" / "overlays"
    if not all((folder / name / "kustomization.yaml").exists() for name in ("solid-cloud", "aws")):
        pytest.skip("the production overlays are not there")
    services = {path.parent.name for path in ROOT.glob("services/*/Dockerfile")}
    said = set_tags(folder, "--dry-run", *(f"{name}=main-{SHA}" for name in sorted(services)))
    assert "would set" in said


class Repository:
    """A clone with a bare repository that it pushes to."""

    def __init__(self, folder: Path) -> None:
        self.clone, self.bare = folder / "clone", folder / "bare"
        self.git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(self.bare))
        self.git(folder, "clone", "--quiet", str(self.bare), str(self.clone))
        for name in ("set-image-tags.py", "commit-image-tags.sh", "last-deployed.sh"):
            target = self.clone / "scripts" / name
            target.parent.mkdir(exist_ok=True)
            target.write_bytes((ROOT / "scripts" / name).read_bytes())
            target.chmod(0o755)
        for name in ("solid-cloud", "aws"):
            folder = self.clone / "k8s-manifests" / "overlays" / name
            folder.mkdir(parents=True)
            (folder / "kustomization.yaml").write_text(OVERLAY)
        self.commit("first")
        self.git(self.clone, "push", "--quiet", "origin", "HEAD:main")

    def git(self, folder: Path, *arguments: str) -> str:
        done = subprocess.run(
            ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", *arguments],
            cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self, message: str) -> str:
        self.git(self.clone, "add", "--all")
        self.git(self.clone, "commit", "--quiet", "--allow-empty", "--message", message)
        return self.git(self.clone, "rev-parse", "HEAD")

    def script(self, name: str, *arguments: str, **variables: str) -> str:
        done = subprocess.run(
            [str(self.clone / "scripts" / name), *arguments],
            env={**ENVIRONMENT, **variables}, capture_output=True, text=True, check=False,
            timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()


ENVIRONMENT = {
    key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "GITHUB_"))
} | {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_a_deployment_is_one_commit_that_says_from_where(repository: Repository) -> None:
    """Later runs count changes from there, whatever happened to the runs between."""
    assert repository.script("last-deployed.sh") == ""
    sha = repository.commit("a change")
    repository.git(repository.clone, "push", "--quiet", "origin", "HEAD:main")
    repository.script("commit-image-tags.sh", SERVICES='["blog","user"]', GITHUB_SHA=sha)
    assert repository.script("last-deployed.sh") == sha
    file = repository.clone / "k8s-manifests/overlays/aws/kustomization.yaml"
    assert tags(file)["titanium/blog"] == tags(file)["titanium/user"] == f"main-{sha}"
    log = repository.git(repository.bare, "log", "-1", "--format=%s%n%b", "main")
    assert log.startswith("Deploy blog user of")
    assert "[skip ci]" in log


def test_main_that_moved_on_meanwhile_is_followed(repository: Repository, tmp_path: Path) -> None:
    """The other's commit stays; ours comes after it."""
    other = tmp_path / "other"
    repository.git(tmp_path, "clone", "--quiet", str(repository.bare), str(other))
    (other / "new").write_text("x")
    repository.git(other, "add", "new")
    repository.git(other, "commit", "--quiet", "--message", "somebody else")
    repository.git(other, "push", "--quiet", "origin", "HEAD:main")
    said = repository.script("commit-image-tags.sh", SERVICES='["blog"]', GITHUB_SHA=SHA)
    assert "main has moved on" in said
    subjects = repository.git(repository.bare, "log", "--format=%s", "main").splitlines()
    assert subjects[0].startswith("Deploy blog")
    assert subjects[1] == "somebody else"


def test_a_rollback_does_not_count_as_a_deployment(repository: Repository) -> None:
    """Else the next push would deploy again what was rolled back."""
    sha = repository.git(repository.clone, "rev-parse", "HEAD")
    repository.script("commit-image-tags.sh", SERVICES='["blog"]', GITHUB_SHA=sha)
    repository.script("commit-image-tags.sh", "--rollback", "blog", f"main-{SHA}")
    assert repository.script("last-deployed.sh") == sha
    file = repository.clone / "k8s-manifests/overlays/aws/kustomization.yaml"
    assert tags(file)["titanium/blog"] == f"main-{SHA}"


def summarize(folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts/scan-summary.py"), str(folder)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


def test_a_summary_counts_findings_and_shows_them(tmp_path: Path) -> None:
    """Markup in what a scanner found stays text."""
    found = {
        "VulnerabilityID": "CVE-2026-1", "PkgName": "zlib|1g", "InstalledVersion": "1.2",
        "Severity": "HIGH", "FixedVersion": "1.3",
    }  # fmt: skip
    secret = {"Severity": "CRITICAL", "RuleID": "<img src=x>"}
    report = {"Results": [{"Vulnerabilities": [found]}, {"Target": "app/key", "Secrets": [secret]}]}
    (tmp_path / "scan-blog-X64.json").write_text(json.dumps(report))
    (tmp_path / "scan-auth-ARM64.json").write_text(json.dumps({"Results": None}))
    said = summarize(tmp_path)
    assert "| auth-ARM64 | 0 | 0 |" in said
    assert "| blog-X64 | 1 | 1 |" in said
    assert "| blog-X64 | HIGH | CVE-2026-1 | zlib1g | 1.2 | 1.3 |" in said
    assert "<img" not in said


def test_without_images_the_summary_says_so(tmp_path: Path) -> None:
    """A change of documents builds none."""
    assert "No image was built" in summarize(tmp_path)
