"""skaffold.yaml names what there is."""

from __future__ import annotations

import shutil
import subprocess
from typing import Any

import pytest
import yaml

from tests.support import ROOT

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def skaffold() -> Any:
    return yaml.safe_load((ROOT / "skaffold.yaml").read_text())


def test_it_builds_every_image_of_the_manifests(skaffold: Any) -> None:
    built = {one["image"]: one["docker"]["dockerfile"] for one in skaffold["build"]["artifacts"]}
    files = [path.relative_to(ROOT) for path in ROOT.glob("services/*/Dockerfile")]
    assert built == {f"titanium/{path.parent.name}": str(path) for path in files}
    base = yaml.safe_load((ROOT / "k8s-manifests" / "base" / "kustomization.yaml").read_text())
    deployed = {one["name"] for one in base["images"]}
    assert {name for name in deployed if name.startswith("titanium/")} == set(built)


def test_it_deploys_the_local_overlay_and_reaches_its_gateway(skaffold: Any) -> None:
    (path,) = skaffold["manifests"]["kustomize"]["paths"]
    overlay = yaml.safe_load((ROOT / path / "kustomization.yaml").read_text())
    (forward,) = skaffold["portForward"]
    assert forward["namespace"] == overlay["namespace"]
    service = ROOT / "k8s-manifests" / "base" / forward["resourceName"] / "service.yaml"
    ports = [one["port"] for one in yaml.safe_load(service.read_text())["spec"]["ports"]]
    assert forward["port"] in ports


def test_a_profile_adds_visitors(skaffold: Any) -> None:
    """Their image is built, and the overlay that runs it takes the place of the plain one."""
    (profile,) = skaffold["profiles"]
    image, overlay = profile["patches"]
    assert image["path"] == "/build/artifacts/-"
    assert (ROOT / image["value"]["docker"]["dockerfile"]).is_file()
    assert overlay["path"] == "/manifests/kustomize/paths/0"
    folder = ROOT / overlay["value"]
    made = yaml.safe_load((folder / "kustomization.yaml").read_text())
    (plain,) = skaffold["manifests"]["kustomize"]["paths"]
    assert [(folder / one).resolve() for one in made["resources"]] == [ROOT / plain]
    (component,) = [(folder / one).resolve() for one in made["components"]]
    component = yaml.safe_load((component / "kustomization.yaml").read_text())
    assert [one["name"] for one in component["images"]] == [image["value"]["image"]]


def test_skaffold_itself_reads_it() -> None:
    program = shutil.which("skaffold")
    if program is None:
        pytest.skip("skaffold is not installed")
    command = [program, "diagnose", "--yaml-only", "--filename", str(ROOT / "skaffold.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
