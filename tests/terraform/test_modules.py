"""Every module by itself: format, validity, and its own tests, which run against mocks."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.terraform.support import ROOT, SOURCES, copy_sources, initialized
from titanium.errors import ToolMissingError
from titanium.terraform import find_terraform

pytestmark = pytest.mark.cloud

MODULES = sorted(path.parent.name for path in SOURCES.glob("modules/*/main.tf"))
ENVIRONMENTS = ("environments/aws", "environments/solid-cloud")
# Those below a module, too.
CONFIGURATIONS = sorted(
    str(path.parent.relative_to(SOURCES))
    for path in SOURCES.rglob("variables.tf")
    if ".terraform" not in path.parts
)


def test_every_file_has_the_format() -> None:
    try:
        program = find_terraform()
    except ToolMissingError as error:
        pytest.skip(error.message)
    done = subprocess.run(
        [str(program), "fmt", "-check", "-recursive", str(SOURCES)],
        capture_output=True,
        text=True,
        check=False,
        env={"CHECKPOINT_DISABLE": "1", "PATH": ""},
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


@pytest.mark.parametrize("where", ENVIRONMENTS)
def test_environments_are_valid(where: str, tmp_path: Path) -> None:
    sources = copy_sources(tmp_path, emulated=False)
    initialized(sources / where, tmp_path / "data").run("validate")


def test_what_is_wrong_is_refused(module_test: str) -> None:
    """`terraform test`, against mocks."""
    assert re.search(r"Success! [1-9]\d* passed, 0 failed", module_test), module_test


@pytest.mark.parametrize("module", MODULES)
def test_every_validation_has_a_run_that_expects_it(module: str) -> None:
    folder = SOURCES / "modules" / module
    runs = "".join(path.read_text("utf-8") for path in folder.glob("tests/*.tftest.hcl"))
    expected = " ".join(re.findall(r"expect_failures\s*=\s*\[(.*?)\]", runs, re.DOTALL))
    for name, block in blocks(folder, "variable"):
        found = len(re.findall(rf"\bvar\.{name}\b", expected))
        assert found >= block.count("validation {"), name


MISTAKES = {
    "network": (
        """cidr = "172.16.0.0/16"
        zones = ["ap-northeast-2", "ap-northeast-2b"]
        reserved_cidrs = { office = "172.16.4.0/24" }""",
        (
            "The VPC's 172.16.0.0/16 overlaps a network behind a tunnel (office 172.16.4.0/24)",
            "Choose another cidr.",
            "zones must be names such as ap-northeast-2a (a region and a letter)",
        ),
    ),
    "database": (
        """node_count = 4
        subnet_ids = ["subnet-a", "subnet-b"]
        allowed_cidrs = ["0.0.0.0/0"]""",
        (
            "node_count must be 3, 5 or 7; it is 4.",
            "With an even number etcd bears no more losses than with one node less",
            "none wider than /8: the database is never open to the world",
        ),
    ),
}


@pytest.mark.parametrize("module", sorted(MISTAKES))
def test_mistakes_are_told_in_words_and_all_at_once(module: str, tmp_path: Path) -> None:
    variables, messages = MISTAKES[module]
    folder = copy_sources(tmp_path, emulated=False) / "modules" / module
    shutil.rmtree(folder / "tests")
    (folder / "wrong.tftest.hcl").write_text(
        f"""mock_provider "aws" {{}}
run "wrong" {{
  command = plan
  variables {{
    name   = "titanium"
    vpc_id = "vpc-0123456789abcdef0"
    {variables}
  }}
}}
"""
    )
    done = initialized(folder, tmp_path / "data").attempt("test")
    assert done.returncode == 1
    said = " ".join(re.sub(r"[│╷╵]", " ", done.stdout + done.stderr).split())
    for message in messages:
        assert message in said


@pytest.mark.parametrize("module", MODULES)
def test_a_module_is_whole(module: str) -> None:
    folder = SOURCES / "modules" / module
    for name in ("main.tf", "variables.tf", "outputs.tf", "versions.tf", "README.md"):
        assert (folder / name).is_file(), name
    assert list(folder.glob("tests/*.tftest.hcl"))
    readme = (folder / "README.md").read_text("utf-8")
    assert "](examples/basic/main.tf)" in readme
    assert (folder / "examples" / "basic" / "main.tf").is_file()
    for kind in ("variable", "output"):
        for name, _ in blocks(folder, kind):
            assert re.search(rf"^\| `{name}` \| \S", readme, re.MULTILINE), f"{kind} {name}"
    for row in re.findall(r"^\| `(\w+)` \| .*\| (?:needed|`.*`) \|$", readme, re.MULTILINE):
        assert row in dict(blocks(folder, "variable")), f"the README tells of {row}"


@pytest.mark.parametrize("folder", CONFIGURATIONS)
def test_everything_is_typed_and_described(folder: str) -> None:
    for kind in ("variable", "output"):
        for name, block in blocks(SOURCES / folder, kind):
            assert re.search(r'^  description = ("\S|<<-?\w)', block, re.MULTILINE), (kind, name)
            if kind == "variable":
                assert re.search(r"^  type += \S", block, re.MULTILINE), name


def blocks(folder: Path, kind: str) -> list[tuple[str, str]]:
    """Name and text of every top-level block `kind` of a configuration."""
    text = "\n".join(path.read_text("utf-8") for path in sorted(folder.glob("*.tf")))
    return re.findall(rf'^{kind} "(\w+)" \{{\n(.*?)^\}}', text, re.MULTILINE | re.DOTALL)


def test_the_caches_users_are_the_clusters() -> None:
    """One access list, whether the cache is ElastiCache or in the cluster."""
    cluster = ROOT / "k8s-manifests" / "components" / "external-secrets" / "redis.yaml"
    rules = dict(
        re.findall(r"user (monitor|blog|user) on #\{\{[^}]*\}\} (.*)", cluster.read_text("utf-8"))
    )
    secrets = (SOURCES / "environments" / "aws" / "secrets.tf").read_text("utf-8")
    assert set(rules) == {"monitor", "blog", "user"}
    for name, access in rules.items():
        assert re.search(rf'{name} += "{re.escape(access)}"', secrets), name
