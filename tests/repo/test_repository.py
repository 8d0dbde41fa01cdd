"""The repository keeps its own rules."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]
CODE = (".py", ".sh", ".toml", ".lua", ".html", ".css", ".jinja")
# Written by `titanium docs`, which finds drift.
GENERATED = (ROOT / "docs" / "reference", ROOT / "services" / "gateway" / "kubernetes")
MAX_LINES = 400


def tracked() -> list[Path]:
    """Every file that git tracks or would track."""
    output = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [path for name in output.splitlines() if (path := ROOT / name).is_file()]


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="ignore")


def test_no_file_names_a_package_registry() -> None:
    """A lock or a script that names an index would break behind a mirror."""
    hosts = re.compile("|".join(["pypi" + r"\.org", "python" + "hosted", "npm" + r"js\.org"]))
    named = [str(path.relative_to(ROOT)) for path in tracked() if hosts.search(text_of(path))]
    assert named == []


def test_locks_pin_every_package_by_hash() -> None:
    """Each requirement line carries a version and at least one hash."""
    for lock in sorted((ROOT / "requirements").glob("*.txt")):
        blocks = re.split(r"\n(?=\S)", text_of(lock).strip())
        loose = [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block]
        assert loose == [], lock.name
        assert all("==" in block for block in blocks), lock.name


def test_every_service_has_a_lock_of_its_own() -> None:
    """One lock per image."""
    services = {path.parent.name for path in (ROOT / "services").glob("*/pyproject.toml")}
    locks = {path.stem for path in (ROOT / "requirements").glob("*.txt")}
    assert services <= locks


def test_no_source_file_is_longer_than_400_lines() -> None:
    """Long files hide several ideas."""
    long = {
        str(path.relative_to(ROOT)): count
        for path in tracked()
        if path.suffix in CODE
        and path.parent not in GENERATED
        and (count := len(text_of(path).splitlines())) > MAX_LINES
    }
    assert long == {}


def test_no_large_or_minified_file_is_tracked() -> None:
    """Third-party assets come from packages."""
    odd = [
        str(path.relative_to(ROOT))
        for path in tracked()
        if ".min." in path.name or (path.stat().st_size > 600_000 and path.suffix != ".png")
    ]
    assert odd == []


def test_no_private_key_or_state_is_tracked() -> None:
    """Secrets are generated."""
    marker = re.compile("-----BEGIN [A-Z ]*PRIVATE KEY-----" + r"\s+[A-Za-z0-9+/=]{40}")
    for path in tracked():
        assert ".titanium" not in path.relative_to(ROOT).parts
        assert path.suffix not in (".pem", ".key")
        assert not marker.search(text_of(path)), path


def test_relative_links_in_documents_lead_somewhere() -> None:
    """No document points at a file that is not there."""
    link = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")
    broken = [
        f"{path.relative_to(ROOT)}: {target}"
        for path in tracked()
        if path.suffix == ".md" and "demo" not in path.parts
        for target in link.findall(text_of(path))
        if not (path.parent / target).exists()
    ]
    assert broken == []


def test_every_decision_record_is_in_the_index() -> None:
    """The index of docs/adr names each record once."""
    index = text_of(ROOT / "docs" / "adr" / "README.md")
    records = [path.name for path in (ROOT / "docs" / "adr").glob("0*.md")]
    assert [name for name in records if index.count(f"({name})") != 1] == []


def test_make_help_describes_every_public_target() -> None:
    """`make help` lists each target that is meant for people."""
    makefile = text_of(ROOT / "Makefile")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    described = set(re.findall(r"^([a-z][a-z-]*):.*## ", makefile, re.MULTILINE))
    wanted = {"help", "up", "down", "status", "check", "test", "lint", "format", "lock", "bench"}
    assert wanted | {"clean"} <= described
    assert targets == described


def test_ci_calls_make_test_and_nothing_else() -> None:
    """CI must not be cleverer than a person."""
    commands = [
        line
        for line in text_of(ROOT / ".ci" / "run").splitlines()
        if line and not line.startswith("#")
    ]
    assert commands == ["set -eu", 'cd "$(dirname "$0")/.."', "exec make test"]


def test_scripts_stop_at_the_first_failure_also_inside_a_pipe() -> None:
    """`coverage report | tail` would let a missed coverage gate pass."""
    for script in sorted((ROOT / "scripts").glob("*.sh")):
        assert re.search(r"^set -euo? ?(-o )?pipefail$", text_of(script), re.MULTILINE), script.name


@pytest.mark.parametrize(
    ("variable", "marks"),
    [("platform", r"(e2e|alone)\b"), ("machines", r"machines\b"), ("cloud", r"cloud\b")],
)
def test_tests_lie_where_they_are_looked_for(variable: str, marks: str) -> None:
    """scripts/test.sh names the folders of some marks; a test that is elsewhere would never run."""
    script = text_of(ROOT / "scripts" / "test.sh")
    found = re.search(rf"^{variable}=\((.+)\)$", script, re.MULTILINE)
    assert found
    folders = [ROOT / name for name in found[1].split()]
    marked = [
        path
        for path in tracked()
        if path.suffix == ".py" and re.search(rf"pytest\.mark\.{marks}", text_of(path))
    ]
    assert marked
    assert [path for path in marked if not any(path.is_relative_to(f) for f in folders)] == []
