"""Overlays made for a test: the base with some components, in a namespace."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import yaml

from tests.manifests.support import Object, build

# Components that need nothing but the base. `istio` and `linkerd` exclude each other.
ALONE = (
    "hpa",
    "istio",
    "linkerd",
    "load-generator",
    "network-policy",
    "resource-quota",
    "tracing",
)
EXCLUDE = {frozenset({"istio", "linkerd"})}
MESHES = ("istio", "linkerd")


def compose(
    manifests: Path, components: Sequence[str], namespace: str = "titanium"
) -> list[Object]:
    """Every object of an overlay in `manifests` with these components, in this order."""
    folder = manifests / "overlays" / "-".join(["test", namespace, *components])
    folder.mkdir(parents=True, exist_ok=True)
    labels = {"app.kubernetes.io/part-of": "titanium"}
    (folder / "namespace.yaml").write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": namespace, "labels": labels},
            }
        )
    )
    transformer = {
        "apiVersion": "builtin",
        "kind": "NamespaceTransformer",
        "metadata": {"name": "namespace", "namespace": namespace},
        "unsetOnly": True,
    }
    (folder / "kustomization.yaml").write_text(
        yaml.safe_dump(
            {
                "apiVersion": "kustomize.config.k8s.io/v1beta1",
                "kind": "Kustomization",
                "resources": ["namespace.yaml", "../../base"],
                "components": [f"../../components/{name}" for name in components],
                "transformers": [yaml.safe_dump(transformer)],
            }
        )
    )
    return build(folder)


def identity(one: Object) -> tuple[str, str, str, str]:
    meta = one["metadata"]
    return one["apiVersion"], one["kind"], meta.get("namespace", ""), meta["name"]


def by_identity(objects: Iterable[Object]) -> dict[tuple[str, str, str, str], Object]:
    found = {identity(one): one for one in objects}
    assert len(found) == len(list(objects)), "an object is made twice"
    return found


def selects(selector: Object | None, labels: dict[str, str]) -> bool:
    """Whether a label selector selects; an empty one (or none) selects everything."""
    selector = selector or {}
    wanted = selector.get("matchLabels", {})
    if not wanted.items() <= labels.items():
        return False
    for rule in selector.get("matchExpressions", []):
        there = rule["key"] in labels
        holds = {
            "In": labels.get(rule["key"]) in rule.get("values", []),
            "Exists": there,
            "DoesNotExist": not there,
        }
        if not holds[rule["operator"]]:
            return False
    return True
