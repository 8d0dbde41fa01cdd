"""The two production overlays."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.manifests.combine import selects
from tests.manifests.quota import largest_state, quantity
from tests.manifests.support import (
    MANIFESTS,
    PRODUCTION,
    Object,
    build,
    catalog,
    named,
    of_kind,
    pod_of,
    pod_specs,
)
from titanium.cloud.deploy import NO_TAG

pytestmark = pytest.mark.integration

NAMESPACE = "titanium-prod"
DEPLOYED = re.compile(r"main-[0-9a-f]{40}")


def cidrs(policy: Object) -> list[str]:
    (rule,) = policy["spec"]["egress"]
    return [to["ipBlock"]["cidr"] for to in rule["to"]]


# both


def test_everything_is_in_our_namespace_or_the_way_in(production: list[Object]) -> None:
    assert named(production, "Namespace", NAMESPACE)
    cluster = {"Namespace", "PriorityClass", "StorageClass"}
    for one in production:
        where = one["metadata"].get("namespace")
        if one["kind"] in cluster:
            continue
        ingress = {"TargetGroupBinding", "Certificate", "EnvoyFilter"}
        allowed = {NAMESPACE, "istio-ingress"} if one["kind"] in ingress else {NAMESPACE}
        assert where in allowed, (one["kind"], one["metadata"]["name"])


def test_nothing_still_speaks_of_another_namespace(production: list[Object]) -> None:
    """Names of the mesh and of recorded series contain it."""
    text = json.dumps([one for one in production if one["kind"] != "ConfigMap"])
    assert not re.findall(r"ns/titanium/|\.titanium\.svc", text)
    assert not re.findall(r'namespace=~?\\"\|?titanium\\"', text)


def test_no_setting_was_forgotten(production: list[Object]) -> None:
    assert "set-by-settings" not in json.dumps(production)


def test_the_way_in_answers_to_the_host_of_the_links_alone(production: list[Object]) -> None:
    (config,) = (
        one
        for one in of_kind(production, "ConfigMap")
        if one["metadata"]["name"].startswith("platform-config")
    )
    host = config["data"]["PUBLIC_URL"].removeprefix("https://")
    for server in named(production, "Gateway", "titanium")["spec"]["servers"]:
        assert server["hosts"] == [host]
    for one in of_kind(production, "Certificate"):
        assert one["spec"]["dnsNames"] == [host]


def test_images_come_from_the_registry_with_the_tag_that_ci_sets(
    production: list[Object],
) -> None:
    for name in (*catalog().names, "gateway"):
        for one in pod_of(production, name)["spec"]["containers"]:
            image, _, tag = one["image"].rpartition(":")
            assert image == f"ghcr.io/titanium-platform/titanium-{name}"
            assert tag == NO_TAG or DEPLOYED.fullmatch(tag)


@pytest.mark.parametrize("overlay", PRODUCTION)
def test_every_image_of_ours_is_listed_where_ci_looks(overlay: str) -> None:
    text = (MANIFESTS / "overlays" / overlay / "kustomization.yaml").read_text("utf-8")
    listed = {one["name"]: one for one in yaml.safe_load(text)["images"]}
    assert set(listed) == {f"titanium/{name}" for name in (*catalog().names, "gateway")}
    # Each its own: only what changed is built again. The first deployment sets all of them; until
    # then they name no image, rather than one that nobody built.
    tags = {one["newTag"] for one in listed.values()}
    assert tags == {NO_TAG} or all(DEPLOYED.fullmatch(tag) for tag in tags)


def test_bar_28_at_least_two_and_budgets_below(production: list[Object]) -> None:
    scalers = of_kind(production, "HorizontalPodAutoscaler")
    assert {one["metadata"]["name"] for one in scalers} == {*catalog().names, "gateway"}
    for one in scalers:
        assert one["spec"]["minReplicas"] >= 2
        budget = named(production, "PodDisruptionBudget", one["metadata"]["name"])["spec"]
        assert budget["minAvailable"] < one["spec"]["minReplicas"]


def test_replicas_are_spread(solid_cloud: list[Object], aws: list[Object]) -> None:
    hard = {"solid-cloud": "kubernetes.io/hostname", "aws": "topology.kubernetes.io/zone"}
    for objects, key in ((solid_cloud, hard["solid-cloud"]), (aws, hard["aws"])):
        for name in (*catalog().names, "gateway"):
            pod = pod_of(objects, name)
            rules = {one["topologyKey"]: one for one in pod["spec"]["topologySpreadConstraints"]}
            assert set(rules) == set(hard.values())
            for topology, one in rules.items():
                must = "DoNotSchedule" if topology == key else "ScheduleAnyway"
                assert one["whenUnsatisfiable"] == must, (name, topology)
                assert selects(one["labelSelector"], pod["metadata"]["labels"])
            assert rules[key]["matchLabelKeys"] == ["pod-template-hash"]


def test_what_serves_users_has_priority(production: list[Object]) -> None:
    assert named(production, "PriorityClass", "titanium-serving")["value"] > 0
    for name in (*catalog().names, "gateway"):
        assert pod_of(production, name)["spec"]["priorityClassName"] == "titanium-serving"


def test_every_secret_comes_from_the_store(production: list[Object]) -> None:
    assert not of_kind(production, "Secret")
    store = named(production, "SecretStore", "titanium")
    for one in of_kind(production, "ExternalSecret"):
        spec = one["spec"]
        assert spec["secretStoreRef"] == {"kind": "SecretStore", "name": store["metadata"]["name"]}
        assert spec["refreshInterval"] == "1h"
        assert spec["target"]["deletionPolicy"] == "Retain"
        for item in spec["data"]:
            assert re.fullmatch(r"titanium-[a-z0-9-]+", item["remoteRef"]["key"])
    (provider,) = store["spec"]["provider"].values()
    account = provider["auth"].get("serviceAccount") or provider["auth"]["jwt"]["serviceAccountRef"]
    named(production, "ServiceAccount", account["name"])


def test_entries_of_the_store_are_documented(production: list[Object]) -> None:
    text = (MANIFESTS / "components" / "external-secrets" / "README.md").read_text("utf-8")
    of_services = {f"titanium-{name}" for name in catalog().names}
    for one in of_kind(production, "ExternalSecret"):
        for item in one["spec"]["data"]:
            entry = item["remoteRef"]["key"]
            assert f"`{'titanium-SERVICE' if entry in of_services else entry}`" in text
            assert f"`{item['remoteRef']['property']}`" in text


def test_production_fits_into_its_quota(production: list[Object]) -> None:
    """At the autoscalers' maximum, in a roll-out, with the operator's pods besides."""
    used = largest_state(production)
    for one in of_kind(production, "Cluster"):
        sidecar = named(production, "ObjectStore", "postgres-backups")["spec"]
        for resources in (
            one["spec"]["resources"],
            sidecar["instanceSidecarConfiguration"]["resources"],
        ):
            add(used, resources, one["spec"]["instances"])
        used["pods"] += one["spec"]["instances"]
    for one in of_kind(production, "Pooler"):
        (container,) = one["spec"]["template"]["spec"]["containers"]
        count = one["spec"]["instances"] + 1
        add(used, container["resources"], count)
        used["pods"] += count
    hard = named(production, "ResourceQuota", "titanium")["spec"]["hard"]
    assert {key: used[key] for key in hard if used[key] > quantity(hard[key])} == {}


def add(used: Any, resources: Object, count: int) -> None:
    for kind in ("requests", "limits"):
        for key, value in resources[kind].items():
            used[f"{kind}.{key}"] += quantity(value) * count


# overlays/aws


def test_nothing_stateful_is_in_the_cluster(aws: list[Object]) -> None:
    names = {name for name, _ in pod_specs(aws)}
    assert "Deployment/redis" not in names
    assert not of_kind(aws, "StatefulSet", "Cluster", "PersistentVolumeClaim")
    service = named(aws, "Service", "postgres")["spec"]
    assert service["type"] == "ExternalName"
    assert "selector" not in service


def test_the_load_balancer_is_guarded(aws: list[Object]) -> None:
    """Terraform makes it, with its firewall; the cluster registers pods and has no listener."""
    assert not of_kind(aws, "Ingress")
    assert not [one for one in of_kind(aws, "Service") if one["spec"].get("type") == "LoadBalancer"]
    binding = named(aws, "TargetGroupBinding", "titanium")["spec"]
    assert re.fullmatch(
        r"arn:aws:elasticloadbalancing:[a-z0-9-]+:\d{12}:targetgroup/\S+", binding["targetGroupARN"]
    )
    assert binding["targetType"] == "ip"
    assert "networking" not in binding
    assert binding["serviceRef"] == {"name": "istio-ingressgateway", "port": 80}
    # Who the client is: the ALB's last word in X-Forwarded-For.
    for part in named(aws, "EnvoyFilter", "titanium-client-address")["spec"]["configPatches"]:
        assert part["patch"]["value"]["typed_config"]["skip_xff_append"] is True
    values_of_the_way_in = MANIFESTS / "platform" / "istio-ingressgateway" / "values-aws.yaml"
    assert '"numTrustedProxies": 1' in values_of_the_way_in.read_text("utf-8")
    # It redirects to https itself: a second redirect behind it would go round in circles.
    (server,) = named(aws, "Gateway", "titanium")["spec"]["servers"]
    assert "tls" not in server
    assert server["port"]["number"] == 80


def test_outside_services_are_reached_by_tls_and_by_address(aws: list[Object]) -> None:
    hosts = {
        one["metadata"]["name"]: one["spec"]["hosts"][0] for one in of_kind(aws, "ServiceEntry")
    }
    assert named(aws, "Service", "postgres")["spec"]["externalName"] == hosts["postgres"]
    for service in catalog():
        allowed = named(aws, "Sidecar", service.name)["spec"]["egress"][0]["hosts"]
        assert f"./{hosts['postgres']}" in allowed
        assert (f"./{hosts['redis']}" in allowed) == service.needs.redis
    for policy, services in (
        ("to-postgres", {s.name for s in catalog() if s.needs.postgres}),
        ("to-redis", {s.name for s in catalog() if s.needs.redis}),
    ):
        spec = named(aws, "NetworkPolicy", policy)
        assert "0.0.0.0/0" not in cidrs(spec)
        (rule,) = spec["spec"]["podSelector"]["matchExpressions"]
        assert {name for name in rule["values"] if not name.endswith("-exporter")} == services
    (config,) = (
        one
        for one in of_kind(aws, "ConfigMap")
        if one["metadata"]["name"].startswith("platform-config")
    )
    assert config["data"]["PGSSLMODE"] == "verify-ca"


def test_volumes_are_gp3_and_roles_are_irsa(aws: list[Object]) -> None:
    storage = named(aws, "StorageClass", "gp3")
    assert storage["parameters"]["type"] == "gp3"
    assert storage["volumeBindingMode"] == "WaitForFirstConsumer"
    account = named(aws, "ServiceAccount", "external-secrets")["metadata"]["annotations"]
    assert account["eks.amazonaws.com/role-arn"].startswith("arn:aws:iam::")
    for name, pod in pod_specs(aws):
        annotations = pod["metadata"]["annotations"]
        assert annotations["cluster-autoscaler.kubernetes.io/safe-to-evict"] == "true", name
        assert "sidecar.istio.io/proxyCPU" in annotations, name


COMBINATIONS = (
    ("external-secrets",),
    ("monitoring",),
    ("monitoring", "postgres-tls"),
    ("external-secrets", "monitoring", "cnpg"),
    ("external-secrets", "cnpg", "network-policy", "cnpg/network-policy"),
    ("monitoring", "network-policy", "monitoring/network-policy"),
    ("monitoring", "istio", "monitoring/istio"),
    ("external-secrets", "cnpg", "istio", "cnpg/istio"),
    ("external-secrets", "monitoring", "cnpg", "linkerd", "hpa", "resource-quota"),
)


@pytest.mark.parametrize("components", COMBINATIONS, ids="+".join)
def test_production_components_combine(manifests: Path, components: tuple[str, ...]) -> None:
    folder = manifests / "overlays" / "test-" / "-".join(components).replace("/", "_")
    folder.mkdir(parents=True)
    (folder / "namespace.yaml").write_text(
        "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: x\n  labels: {a: b}\n"
    )
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["namespace.yaml", "../../../base"],
        "components": [f"../../../components/{name}" for name in components],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    for missing in components:
        if not (MANIFESTS / "components" / missing / "kustomization.yaml").exists():
            pytest.skip(f"component {missing} is not there")
    assert build(folder)
