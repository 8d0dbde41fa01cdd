"""Applies an overlay and waits until everything in it runs."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from titanium.catalog import load_catalog
from titanium.cloud.diagnose import diagnose
from titanium.cloud.kubectl import Kubectl, KubectlError, Say
from titanium.cloud.secrets import write_secrets
from titanium.cloud.targets import TARGETS, Target
from titanium.errors import UnhealthyError, UsageError

Object = dict[str, Any]
LOCAL = "local"
# The tag in overlays/solid-cloud and overlays/aws before the first deployment sets real ones.
NO_TAG = "not-deployed-yet"
_ROLLED_OUT = ("StatefulSet", "Deployment", "DaemonSet")
# Others that say themselves when they are ready; waited for first, because pods need them.
_READY = {
    "ExternalSecret": "externalsecrets.external-secrets.io",
    "Cluster": "clusters.postgresql.cnpg.io",
}


def render(kubectl: Kubectl, folder: Path) -> list[Object]:
    """Every object of a kustomization; needs no cluster."""
    text = kubectl.run("kustomize", str(folder))
    return [one for one in yaml.safe_load_all(text) if one]


def deploy(target: Target, root: Path, kubectl: Kubectl, patience: float, say: Say) -> None:
    """Apply the overlay; UnhealthyError names what is not ready within `patience` seconds."""
    folder = target.overlay(root)
    if target.name == LOCAL:
        write_secrets(load_catalog(root), secrets_folder(root))
    objects = render(kubectl, folder)
    _require_images(target, objects)
    version = kubectl.require_version(target.minimum)
    say(f"cluster: Kubernetes {version}, namespace {target.namespace}")
    # An overlay's objects name their namespaces; one given besides would contradict them.
    applied = kubectl.within(None).run("apply", "--kustomize", str(folder), timeout=patience)
    for line in applied.splitlines():
        if not line.endswith(" unchanged"):
            say(f"  {line}")
    wait(kubectl, objects, patience, say)


def _require_images(target: Target, objects: list[Object]) -> None:
    """UsageError when no image was ever named: the pods would wait for one for ever."""
    missing = sorted(
        {
            one["metadata"]["name"]
            for one in objects
            if one["kind"] == "Deployment"
            for container in one["spec"].get("template", {}).get("spec", {}).get("containers", [])
            if str(container["image"]).endswith(f":{NO_TAG}")
        }
    )
    if missing:
        raise UsageError(
            f"overlays/{target.name} names no images yet of {', '.join(missing)}",
            "A push to main builds them and sets the tags; by hand: "
            "python3 scripts/set-image-tags.py SERVICE=TAG ...",
        )


def steps(target: Target, root: Path, kubectl: Kubectl) -> Iterator[str]:
    """What `deploy` would do, in words; changes nothing and asks no cluster."""
    with tempfile.TemporaryDirectory(prefix="titanium-") as name:
        # A copy: the small overlay is rendered with secrets, which a dry run must not make.
        copied = Path(name)
        shutil.copytree(root / "k8s-manifests", copied / "k8s-manifests")
        if target.name == LOCAL:
            write_secrets(load_catalog(root), secrets_folder(copied))
        objects = render(kubectl, target.overlay(copied))
    yield f"kubectl apply --kustomize {target.overlay(root)}"
    for one in objects:
        yield f"  {_title(one)}"
    for one in waited_for(objects):
        yield f"wait until {_title(one)} is ready"


def secrets_folder(root: Path) -> Path:
    """Where the small overlay's generated secrets are."""
    return TARGETS[LOCAL].overlay(root) / "secrets"


def waited_for(objects: list[Object]) -> list[Object]:
    """In the order of the waiting: secrets and databases, then what uses them."""
    order = (*_READY, *_ROLLED_OUT)
    found = [one for one in objects if one["kind"] in order]
    return sorted(found, key=lambda one: (order.index(one["kind"]), one["metadata"]["name"]))


def wait(kubectl: Kubectl, objects: list[Object], patience: float, say: Say) -> None:
    """Wait until all of them are ready; UnhealthyError says which is not, and why."""
    deadline = time.monotonic() + patience
    for one in waited_for(objects):
        began = time.monotonic()
        left = max(1, round(deadline - began))
        there = kubectl.within(one["metadata"].get("namespace", kubectl.namespace))
        try:
            there.run(*_waiting(one, left), timeout=left + 15)
        except KubectlError as error:
            raise _unhealthy(there, one, error) from None
        say(f"  {_title(one)} ready in {time.monotonic() - began:.0f} s")


def _waiting(one: Object, seconds: int) -> list[str]:
    name = one["metadata"]["name"]
    if resource := _READY.get(one["kind"]):
        return ["wait", "--for=condition=Ready", f"{resource}/{name}", f"--timeout={seconds}s"]
    return ["rollout", "status", f"{one['kind'].lower()}/{name}", f"--timeout={seconds}s"]


def _unhealthy(kubectl: Kubectl, one: Object, error: KubectlError) -> UnhealthyError:
    title = _title(one)
    labels = one.get("spec", {}).get("selector", {}).get("matchLabels")
    if not labels:
        return UnhealthyError(
            f"{title} is not ready: {error.message}", f"Look at it: kubectl describe {title}"
        )
    lines, hint = diagnose(kubectl, one["metadata"]["name"], labels)
    return UnhealthyError(f"{title} is not ready", hint, tuple(lines))


def _title(one: Object) -> str:
    return f"{one['kind'].lower()}/{one['metadata']['name']}"
