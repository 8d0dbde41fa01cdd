"""The mesh demonstration's manifests: what they promise, without a cluster."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
import yaml

from tests.manifests.support import (
    KUBECTL,
    MANIFESTS,
    REASON,
    ROOT,
    Object,
    build,
    containers,
    named,
    of_kind,
    pod_specs,
)

pytestmark = [
    pytest.mark.unit,
    pytest.mark.skipif(KUBECTL is None, reason=REASON),
]
FOLDER = MANIFESTS / "bookinfo"
PROFILE = "pod-security.kubernetes.io"


@pytest.fixture(scope="module")
def bookinfo() -> list[Object]:
    return build(FOLDER)


def values(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((FOLDER / "charts" / f"{name}.yaml").read_text())
    return loaded


def test_every_part_of_the_example_is_there(bookinfo: list[Object]) -> None:
    """Three versions of reviews, and somebody who reads."""
    names = {one["metadata"]["name"] for one in of_kind(bookinfo, "Deployment", "DaemonSet")}
    reviews = {f"reviews-v{number}" for number in (1, 2, 3)}
    assert names == reviews | {"details-v1", "ratings-v1", "productpage-v1", "traffic", "edge"}
    placed = {one["metadata"].get("namespace") for one in bookinfo if one["kind"] != "Namespace"}
    assert placed == {"bookinfo", "bookinfo-edge"}
    edge = [one for one in bookinfo if one["metadata"].get("namespace") == "bookinfo-edge"]
    assert {one["kind"] for one in edge} == {"ConfigMap", "DaemonSet", "ServiceAccount"}


def test_only_the_edges_namespace_deviates_from_the_restricted_profile(
    bookinfo: list[Object],
) -> None:
    """Because of one host port; its pod keeps to the rest of the profile."""
    assert named(bookinfo, "Namespace", "bookinfo")["metadata"]["labels"][f"{PROFILE}/enforce"] == (
        "restricted"
    )
    for name, pod in pod_specs(bookinfo):
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False, name
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec), name
        for container in containers(pod):
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False, name
            assert context["capabilities"] == {"drop": ["ALL"]}, name
            assert container["resources"]["limits"]["memory"], name
            ports = [port.get("hostPort") for port in container.get("ports", [])]
            assert any(ports) == (name == "DaemonSet/edge"), name


def test_outside_reaches_the_page_at_port_30080(bookinfo: list[Object]) -> None:
    """The edge listens where its host port leads, and sends to the page's Service."""
    edge = named(bookinfo, "DaemonSet", "edge")["spec"]["template"]
    (port,) = edge["spec"]["containers"][0]["ports"]
    assert port["hostPort"] == 30080
    envoy = yaml.safe_load((FOLDER / "envoy.yaml").read_text())["static_resources"]
    listener = envoy["listeners"][0]["address"]["socket_address"]
    assert listener["port_value"] == port["containerPort"]
    target = envoy["clusters"][0]["load_assignment"]["endpoints"][0]["lb_endpoints"][0]
    address = target["endpoint"]["address"]["socket_address"]
    page = named(bookinfo, "Service", "productpage")["spec"]["ports"][0]
    assert address["address"] == "productpage.bookinfo.svc.cluster.local"
    assert address["port_value"] == page["port"] == 9080


def test_everything_may_run_beside_the_control_plane_and_needs_no_volume(
    bookinfo: list[Object],
) -> None:
    """A kubeadm cluster of one node, without a StorageClass."""
    for name, pod in pod_specs(bookinfo):
        keys = [one["key"] for one in pod["spec"]["tolerations"]]
        assert keys == ["node-role.kubernetes.io/control-plane"], name
        kinds = {key for volume in pod["spec"].get("volumes", []) for key in volume} - {"name"}
        assert kinds <= {"emptyDir", "configMap"}, name
    assert not of_kind(bookinfo, "PersistentVolumeClaim", "StatefulSet")
    monitoring = values("monitoring")
    control_plane = monitoring["prometheus"]["prometheusSpec"]["tolerations"]
    for part in ("prometheusOperator", "grafana", "kube-state-metrics"):
        assert monitoring[part]["tolerations"] == control_plane, part
    assert values("linkerd-control-plane")["tolerations"] == control_plane
    assert monitoring["prometheus"]["prometheusSpec"]["storageSpec"] == {}
    assert monitoring["grafana"]["persistence"] == {"enabled": False}


def test_grafana_is_at_port_30300_with_a_password_that_is_made(bookinfo: list[Object]) -> None:
    """And loads the dashboard, whose queries name metrics of the mesh's proxy."""
    grafana = values("monitoring")["grafana"]
    assert grafana["service"] == {"type": "NodePort", "nodePort": 30300}
    assert grafana["admin"]["existingSecret"] == "grafana-admin"
    assert "adminPassword" not in grafana
    board = named(bookinfo, "ConfigMap", "bookinfo-dashboard")
    assert board["metadata"]["labels"]["grafana_dashboard"] == "1"
    queries = re.findall(r'"expr": "(.*)"', board["data"]["bookinfo.json"])
    known = {"request_total", "response_total", "response_latency_ms_bucket"}
    for query in queries:
        metrics = set(re.findall(r"([a-z_]+)\{", query))
        assert metrics <= known | {"process_resident_memory_bytes"}, query


def test_the_mesh_is_on_and_lets_in_identities_and_the_metrics_reader_only(
    bookinfo: list[Object],
) -> None:
    """Prometheus is outside of the mesh; the rule for it covers the proxies' own port alone."""
    for name in ("bookinfo", "bookinfo-edge"):
        notes = named(bookinfo, "Namespace", name)["metadata"]["annotations"]
        assert notes["linkerd.io/inject"] == "enabled"
    inside = named(bookinfo, "Namespace", "bookinfo")["metadata"]["annotations"]
    assert inside["config.linkerd.io/default-inbound-policy"] == "all-authenticated"
    server = named(bookinfo, "Server", "proxy-metrics")["spec"]
    assert server["port"] == "linkerd-admin"
    (policy,) = of_kind(bookinfo, "AuthorizationPolicy")
    assert policy["spec"]["targetRef"]["name"] == "proxy-metrics"
    assert values("linkerd-control-plane")["cniEnabled"] is True


def test_selectors_find_their_pods(bookinfo: list[Object]) -> None:
    """Every Service and the PodMonitor."""
    labels = {name: pod["metadata"]["labels"] for name, pod in pod_specs(bookinfo)}
    for one in of_kind(bookinfo, "Service"):
        chosen = one["spec"]["selector"].items()
        found = [name for name, own in labels.items() if chosen <= own.items()]
        assert len(found) == (3 if one["metadata"]["name"] == "reviews" else 1), one["metadata"]
    (monitor,) = of_kind(bookinfo, "PodMonitor")
    wanted = monitor["spec"]["selector"]["matchLabels"].items()
    assert all(wanted <= own.items() for own in labels.values())


def test_images_and_charts_are_pinned(bookinfo: list[Object]) -> None:
    """One version of the example; charts as in Argo CD's applications where both install one."""
    images = {one["image"] for _, pod in pod_specs(bookinfo) for one in containers(pod)}
    assert all(re.search(r":(distroless-)?v?\d+\.\d+\.\d+$", image) for image in images), images
    example = {image.rpartition(":")[2] for image in images if "examples-bookinfo" in image}
    assert len(example) == 1
    charts = tomllib.loads((FOLDER / "charts" / "charts.toml").read_text())["chart"]
    for chart in charts:
        assert re.fullmatch(r"\d+\.\d+\.\d+", chart["version"])
        assert (FOLDER / "charts" / f"{chart['release']}.yaml").is_file()
    versions = {chart["chart"]: chart["version"] for chart in charts}
    for path in ROOT.glob("argocd/**/*.yaml"):
        for document in yaml.safe_load_all(path.read_text()):
            for source in sources(document or {}):
                if source.get("chart") in versions:
                    assert source["targetRevision"] == versions[source["chart"]], path.name


def sources(application: dict[str, Any]) -> list[dict[str, Any]]:
    spec = application.get("spec") or {}
    return [one for one in (spec.get("source"), *(spec.get("sources") or [])) if one]


def test_builtin_objects_match_kubernetes_schemas(bookinfo: list[Object]) -> None:
    """Strictly, for the oldest version that is supported; custom resources are checked above."""
    validator = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is missing")
    custom = ("PodMonitor", "Server", "AuthorizationPolicy", "NetworkAuthentication")
    for one in bookinfo:
        if one["kind"] not in custom:
            validator.validate(one, "1.30", strict=True)
