"""Every optional feature builds alone and with every other, in any order, and does what it says."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path

import pytest

from tests.manifests.combine import ALONE, EXCLUDE, MESHES, by_identity, compose
from tests.manifests.quota import largest_state, quantity
from tests.manifests.support import (
    MANIFESTS,
    ROOT,
    Object,
    catalog,
    containers,
    named,
    of_kind,
    pod_specs,
)

pytestmark = pytest.mark.integration

SCALED = (*catalog().names, "gateway")
_PAIRS = [pair for pair in combinations(ALONE, 2) if frozenset(pair) not in EXCLUDE]


@pytest.fixture(scope="module")
def plain(manifests: Path) -> list[Object]:
    return compose(manifests, ())


@pytest.mark.parametrize("name", ALONE)
def test_a_component_alone_keeps_what_the_base_makes(
    manifests: Path, plain: list[Object], name: str
) -> None:
    built = by_identity(compose(manifests, (name,)))
    assert by_identity(plain).keys() <= built.keys()


@pytest.mark.parametrize("pair", _PAIRS, ids="+".join)
def test_pairs_build_the_same_in_both_orders(manifests: Path, pair: tuple[str, str]) -> None:
    assert by_identity(compose(manifests, pair)) == by_identity(compose(manifests, pair[::-1]))


@pytest.mark.parametrize("mesh", MESHES)
def test_everything_together_builds_in_any_order(manifests: Path, mesh: str) -> None:
    names = [name for name in ALONE if name not in MESHES or name == mesh]
    together = by_identity(compose(manifests, names))
    assert by_identity(compose(manifests, names[::-1])) == together
    turned = [*names[3:], *names[:3]]
    assert by_identity(compose(manifests, turned)) == together


@pytest.mark.parametrize("name", ALONE)
def test_a_readme_says_how_to_combine_and_how_to_undo(name: str) -> None:
    text = (MANIFESTS / "components" / name / "README.md").read_text("utf-8")
    assert text.startswith(f"# {name}\n")
    assert "**Combine**" in text
    assert "**Undo**" in text


# hpa


def test_two_to_five_replicas_at_70_percent(manifests: Path) -> None:
    objects = compose(manifests, ("hpa",))
    found = of_kind(objects, "HorizontalPodAutoscaler")
    assert sorted(one["metadata"]["name"] for one in found) == sorted(SCALED)
    for one in found:
        spec = one["spec"]
        assert spec["scaleTargetRef"]["name"] == one["metadata"]["name"]
        assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 5)
        (metric,) = spec["metrics"]
        resource = metric["containerResource"]
        assert resource["name"] == "cpu"
        assert resource["target"] == {"type": "Utilization", "averageUtilization": 70}
        pod = named(objects, "Deployment", one["metadata"]["name"])["spec"]["template"]["spec"]
        assert [part["name"] for part in pod["containers"]] == [resource["container"]]
        up, down = spec["behavior"]["scaleUp"], spec["behavior"]["scaleDown"]
        assert down["stabilizationWindowSeconds"] == 300
        assert up["stabilizationWindowSeconds"] == 0
        assert up["policies"] == [{"type": "Pods", "value": 2, "periodSeconds": 30}]


def test_applying_does_not_undo_the_autoscaler(manifests: Path) -> None:
    objects = compose(manifests, ("hpa",))
    for name in SCALED:
        assert "replicas" not in named(objects, "Deployment", name)["spec"]
    assert named(objects, "Deployment", "redis")["spec"]["replicas"] == 1


def test_bar_28_budgets_are_below_the_minimum(manifests: Path) -> None:
    objects = compose(manifests, ("hpa",))
    for one in of_kind(objects, "HorizontalPodAutoscaler"):
        budget = named(objects, "PodDisruptionBudget", one["metadata"]["name"])["spec"]
        assert one["spec"]["minReplicas"] >= 2
        assert budget["minAvailable"] == 1 < one["spec"]["minReplicas"]
        assert "maxUnavailable" not in budget


# tracing


def test_tracing_sets_one_variable_and_nothing_else(manifests: Path, plain: list[Object]) -> None:
    built, before = by_identity(compose(manifests, ("tracing",))), by_identity(plain)
    assert built.keys() == before.keys()
    changed = {key[3] for key in built if built[key] != before[key]}
    assert changed == set(catalog().names)
    for name in changed:
        (one,) = named(list(built.values()), "Deployment", name)["spec"]["template"]["spec"][
            "containers"
        ]
        added = one["env"].pop()
        assert added == {
            "name": "OTEL_EXPORTER_OTLP_ENDPOINT",
            "value": "http://otel-collector.observability:4318",
        }
    assert built == before


# resource-quota


def test_production_at_its_largest_fits_into_the_quota(manifests: Path) -> None:
    """Five replicas, one more of each while rolling, a sidecar in every pod, load besides."""
    names = [name for name in ALONE if name != "linkerd"]
    objects = compose(manifests, names)
    hard = named(objects, "ResourceQuota", "titanium")["spec"]["hard"]
    assert {key: hard[key] for key in ("requests.cpu", "requests.memory", "pods")} == {
        "requests.cpu": "16",
        "requests.memory": "32Gi",
        "pods": "50",
    }
    used = largest_state(objects)
    assert set(used) == set(hard)
    for key, amount in used.items():
        assert amount <= quantity(hard[key]), (key, amount)
    # The services and the gateway, 5 + 1 each; PostgreSQL, Redis, load: one, not rolled by surge
    assert used["pods"] == (len(SCALED)) * 6 + 3
    # The sidecars' share is what the issue names.
    assert used["requests.cpu"] >= used["pods"] * quantity("200m")


def test_defaults_are_within_the_limits(manifests: Path) -> None:
    objects = compose(manifests, ("resource-quota",))
    (limits,) = named(objects, "LimitRange", "titanium")["spec"]["limits"]
    for key in ("cpu", "memory"):
        request, limit = quantity(limits["defaultRequest"][key]), quantity(limits["default"][key])
        assert request <= limit <= quantity(limits["max"][key])
    for name, pod in pod_specs(objects):
        for one in containers(pod):
            for key in ("cpu", "memory"):
                assert quantity(one["resources"]["limits"][key]) <= quantity(limits["max"][key]), (
                    name
                )


# load-generator


def test_the_load_generator_is_restricted(manifests: Path) -> None:
    objects = compose(manifests, ("load-generator",))
    deployment = named(objects, "Deployment", "load-generator")
    pod = deployment["spec"]["template"]["spec"]
    assert deployment["spec"]["selector"]["matchLabels"].items() <= (
        deployment["spec"]["template"]["metadata"]["labels"].items()
    )
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (one,) = pod["containers"]
    assert one["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert one["args"] == ["load", "--gentle"]
    assert one["env"] == [{"name": "TITANIUM_URL", "value": "http://gateway:8080"}]
    assert one["image"] == "titanium/load-generator:dev"


def test_its_policy_is_whole_without_the_others(manifests: Path) -> None:
    """With the component network-policy, the sum is what it is without."""
    alone = named(compose(manifests, ("load-generator",)), "NetworkPolicy", "load-generator")
    assert alone["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in alone["spec"]


def test_its_image_keeps_to_the_rules_of_the_services() -> None:
    folder = ROOT / "tests" / "performance"
    text = (folder / "Dockerfile").read_text("utf-8")
    assert all(re.fullmatch(r"\$\{(BASE|BUILD)_IMAGE\}( AS build)?", one) for one in froms(text))
    assert "USER 10001:10001" in text
    assert "--require-hashes" in text
    entry = re.search(r"(?m)^ENTRYPOINT (.*)$", text)
    assert entry is not None
    assert json.loads(entry[1]) == ["python3", "-P", "-m", "titanium.main"]
    ignored = (folder / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    assert [line for line in ignored if line.startswith("!")] == [
        "!requirements/load.txt",
        "!cli/src/titanium",
    ]


def test_its_lock_agrees_with_the_others() -> None:
    def versions(name: str) -> dict[str, str]:
        text = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
        return dict(re.findall(r"(?m)^([a-z0-9-]+)==(\S+)", text))

    everything = versions("dev")
    own = versions("load")
    assert {"click", "rich", "locust"} <= own.keys()
    assert {name: everything.get(name) for name in own} == own


def froms(text: str) -> list[str]:
    return re.findall(r"(?m)^FROM (.*)$", text)
