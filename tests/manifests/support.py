"""Builds kustomizations and reads what comes out."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from titanium.catalog import Catalog, load_catalog
from titanium.cloud.secrets import write_secrets

ROOT = Path(__file__).resolve().parents[2]
MANIFESTS = ROOT / "k8s-manifests"
PRODUCTION = ("solid-cloud", "aws")
OVERLAYS = ("local", *PRODUCTION)
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob")
Object = dict[str, Any]

KUBECTL = shutil.which("kubectl") or shutil.which("kustomize")
# Many kustomizations are built and read; libyaml does it ten times as fast.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
REASON = "neither kubectl nor kustomize is on PATH: kustomizations cannot be built"


def build(folder: Path) -> list[Object]:
    """Every object that the kustomization in `folder` makes; AssertionError with what it says."""
    assert KUBECTL is not None, REASON
    verb = ["kustomize"] if KUBECTL.endswith("kubectl") else ["build"]
    done = subprocess.run(
        [KUBECTL, *verb, str(folder)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, f"{folder}: {done.stderr}"
    return [one for one in yaml.load_all(done.stdout, Loader=LOADER) if one]


@cache
def catalog() -> Catalog:
    return load_catalog(ROOT)


def copy_with_secrets(target: Path) -> Path:
    """A copy of `k8s-manifests` with generated secrets, so that no test depends on a person's."""
    ignore = shutil.ignore_patterns("secrets")
    copied = Path(shutil.copytree(MANIFESTS, target / "k8s-manifests", ignore=ignore))
    write_secrets(catalog(), copied / "overlays" / "local" / "secrets")
    return copied


def of_kind(objects: list[Object], *kinds: str) -> list[Object]:
    return [one for one in objects if one["kind"] in kinds]


def named(objects: list[Object], kind: str, name: str) -> Object:
    found = [one for one in objects if one["kind"] == kind and one["metadata"]["name"] == name]
    assert len(found) == 1, f"{kind} {name}: {len(found)} found"
    return found[0]


def pod_specs(objects: list[Object]) -> Iterator[tuple[str, Object]]:
    """(kind/name, pod template) of every workload."""
    for one in of_kind(objects, *WORKLOADS):
        template = one["spec"]
        if one["kind"] == "CronJob":
            template = template["jobTemplate"]["spec"]
        yield f"{one['kind']}/{one['metadata']['name']}", template["template"]


def containers(pod: Object) -> list[Object]:
    spec = pod["spec"]
    return [*spec.get("initContainers", []), *spec["containers"]]


def secrets_made(objects: list[Object]) -> dict[str, set[str] | None]:
    """Name -> keys of every Secret that exists once the objects are applied; None: not known."""
    made: dict[str, set[str] | None] = {
        one["metadata"]["name"]: set(one["data"]) for one in of_kind(objects, "Secret")
    }
    for one in of_kind(objects, "ExternalSecret"):
        spec = one["spec"]
        name = spec.get("target", {}).get("name", one["metadata"]["name"])
        template = spec.get("target", {}).get("template", {}).get("data")
        made[name] = set(template or [item["secretKey"] for item in spec["data"]])
    for one in of_kind(objects, "Cluster"):
        # CloudNativePG's own authority.
        made[f"{one['metadata']['name']}-ca"] = {"ca.crt", "ca.key"}
    return made


def pod_of(objects: list[Object], name: str) -> Object:
    """The pod template of Deployment `name`."""
    pod: Object = named(objects, "Deployment", name)["spec"]["template"]
    return pod
