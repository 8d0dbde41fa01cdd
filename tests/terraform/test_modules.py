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
CONFIGURATIONS = ("environments/aws", "environments/solid-cloud")


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


@pytest.mark.parametrize("where", CONFIGURATIONS)
def test_environments_are_valid(where: str, tmp_path: Path) -> None:
    sources = copy_sources(tmp_path, emulated=False)
    initialized(sources / where, tmp_path / "data").run("validate")


@pytest.mark.parametrize("module", MODULES)
def test_a_module_refuses_what_is_wrong(module: str, tmp_path: Path) -> None:
    """`terraform test`: every validation has a run that expects it to fail."""
    sources = copy_sources(tmp_path, emulated=False)
    said = initialized(sources / "modules" / module, tmp_path / "data").run("test")
    assert re.search(r"Success! [1-9]\d* passed, 0 failed", said), said


@pytest.mark.parametrize("module", MODULES)
def test_a_module_is_whole(module: str) -> None:
    folder = SOURCES / "modules" / module
    for name in ("main.tf", "variables.tf", "outputs.tf", "versions.tf", "README.md"):
        assert (folder / name).is_file(), name
    assert list(folder.glob("examples/*/main.tf"))
    assert list(folder.glob("tests/*.tftest.hcl"))
    readme = (folder / "README.md").read_text("utf-8")
    for path in folder.glob("variables*.tf"):
        for variable in re.findall(r'^variable "(\w+)"', path.read_text("utf-8"), re.MULTILINE):
            assert f"`{variable}`" in readme, f"{variable} is not in the README"
    for path in folder.glob("*.tf"):
        text = path.read_text("utf-8")
        for kind, name in re.findall(
            r'^(variable|output) "(\w+)" \{\n(?!  description)', text, re.MULTILINE
        ):
            pytest.fail(f"{kind} {name} in {path.name} has no description")


@pytest.mark.parametrize("first", [True, False])
def test_scripts_of_kubeadm_are_sound(first: bool, tmp_path: Path) -> None:
    """Rendered by Terraform, then read by bash and shellcheck."""
    folder = SOURCES / "modules" / "kubernetes" / "templates"
    shutil.copytree(folder, tmp_path / "templates")
    (tmp_path / "main.tf").write_text(
        f"""
locals {{
  common = templatefile("templates/common.sh.tftpl", {{ version = "1.34" }})
}}
output "control_plane" {{
  value = templatefile("templates/control-plane.sh.tftpl", {{
    common = local.common, first = {str(first).lower()}, endpoint = "api.example:6443"
    name = "titanium", region = "ap-northeast-2", version = "1.34", pod_cidr = "10.244.0.0/16"
    service_cidr = "10.96.0.0/16", join_secret = "join", config_secret = "config"
    cilium_version = "1.18.2"
  }})
}}
output "worker" {{
  value = templatefile("templates/worker.sh.tftpl", {{
    common = local.common, region = "ap-northeast-2", labels = "a=b", join_secret = "join"
  }})
}}
"""
    )
    terraform = initialized(tmp_path, tmp_path / "data")
    terraform.run("apply", "-auto-approve")
    shellcheck = ROOT / ".venv" / "bin" / "shellcheck"
    for name in ("control_plane", "worker"):
        script = tmp_path / f"{name}.sh"
        script.write_text(terraform.run("output", "-raw", name))
        for command in (["bash", "-n"], [str(shellcheck), "--severity=warning"]):
            done = subprocess.run([*command, str(script)], capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr


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
