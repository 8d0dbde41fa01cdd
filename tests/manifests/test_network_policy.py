"""Who may connect to whom, as the network policies say, against what the services declare.

Every pod against every pod, namespace and address, on every port, both ways.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.manifests.combine import compose, selects
from tests.manifests.support import Object, catalog, of_kind, pod_specs
from titanium.layout import GATEWAY

pytestmark = pytest.mark.integration

COMPONENTS = ("network-policy", "load-generator")
HOME = "titanium"
# Linkerd's proxies talk to each other over this port, whatever the port meant.
PROXY = 4143
METRICS = {15020, 15090, 4191}
LOAD = "load-generator"


class Peer(NamedTuple):
    """A pod of some namespace, or an address outside the cluster (namespace None)."""

    name: str
    namespace: str | None
    labels: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return f"{self.namespace or 'outside'}/{self.name}"


def peer(name: str, namespace: str, **labels: str) -> Peer:
    return Peer(
        name, namespace, tuple((key.replace("_", "-"), value) for key, value in labels.items())
    )


PROMETHEUS = Peer("prometheus", "monitoring", (("app.kubernetes.io/name", "prometheus"),))
DNS = peer("dns", "kube-system", k8s_app="kube-dns")
COLLECTOR = peer("otel-collector", "observability")
ISTIOD = peer("istiod", "istio-system", app="istiod")
LINKERD = peer("linkerd-destination", "linkerd")
ELSEWHERE = (
    PROMETHEUS,
    DNS,
    COLLECTOR,
    ISTIOD,
    LINKERD,
    Peer("grafana", "monitoring"),
    Peer("metrics-server", "kube-system"),
    # The same labels as ours in another namespace.
    Peer("gateway", "titanium-prod", (("app.kubernetes.io/name", "gateway"),)),
    Peer("198.51.100.7", None),
)
PORTS = sorted(
    {53, 443, 2379, 4317, 4318, 5432, 6379, 6443, 8000, 8080, 8086, 8090, 9901, 9902, 10250, 15012}
    | {15014, PROXY, *METRICS}
)
Cell = tuple[Peer, Peer, int]


@pytest.fixture(scope="module")
def objects(manifests: Path) -> list[Object]:
    return compose(manifests, COMPONENTS, HOME)


@pytest.fixture(scope="module")
def pods(objects: list[Object]) -> dict[str, Peer]:
    return {
        (name := pod["metadata"]["labels"]["app.kubernetes.io/name"]): Peer(
            name, HOME, tuple(pod["metadata"]["labels"].items())
        )
        for _, pod in pod_specs(objects)
    }


def matches(rule_peer: Object, one: Peer) -> bool:
    """Whether a `from` or `to` entry means this peer."""
    assert set(rule_peer) <= {"namespaceSelector", "podSelector"}, "an address block"
    if one.namespace is None:
        return False
    if "namespaceSelector" in rule_peer:
        if not selects(
            rule_peer["namespaceSelector"], {"kubernetes.io/metadata.name": one.namespace}
        ):
            return False
    elif one.namespace != HOME:
        return False
    return selects(rule_peer.get("podSelector"), dict(one.labels))


def allows(objects: list[Object], way: str, pod: Peer, other: Peer, port: int) -> bool:
    """`way` is Ingress (other -> pod) or Egress (pod -> other); TCP or UDP alike."""
    found = [
        one["spec"]
        for one in of_kind(objects, "NetworkPolicy")
        if way in one["spec"]["policyTypes"]
        and selects(one["spec"]["podSelector"], dict(pod.labels))
    ]
    if not found:
        return True
    side = "from" if way == "Ingress" else "to"
    for rule in (rule for spec in found for rule in spec.get(way.lower(), [])):
        if port not in {entry["port"] for entry in rule["ports"]}:
            continue
        if side not in rule or any(matches(entry, other) for entry in rule[side]):
            return True
    return False


def declared() -> Iterator[tuple[str, str, int]]:
    """(source, destination, port) of every pair that the catalog declares."""
    for service in catalog():
        for caller in catalog().callers(service.name):
            yield caller, service.name, 8000
        if service.needs.postgres:
            yield service.name, "postgres", 5432
        if service.needs.redis:
            yield service.name, "redis", 6379


def expected_egress(pods: dict[str, Peer]) -> set[Cell]:
    cells = {
        (pods[source], pods[target], port)
        for source, target, own in declared()
        for port in (own, PROXY)
    }
    for one in pods.values():
        cells.add((one, DNS, 53))
        cells.add((one, ISTIOD, 15012))
        cells |= {(one, LINKERD, port) for port in (8080, 8086, 8090, PROXY)}
    for name in (GATEWAY, *catalog().names):
        cells |= {(pods[name], COLLECTOR, port) for port in (4317, 4318)}
    cells.add((pods[LOAD], pods[GATEWAY], 8080))
    return cells


def expected_ingress(pods: dict[str, Peer]) -> set[Cell]:
    cells = {
        (pods[source], pods[target], port)
        for source, target, own in declared()
        for port in (own, PROXY)
    }
    for one in pods.values():
        # The policy of the load generator adds to the ones for every pod.
        cells |= {(PROMETHEUS, one, port) for port in METRICS}
    for name in catalog().names:
        cells |= {(PROMETHEUS, pods[name], port) for port in (8000, PROXY)}
    cells |= {(PROMETHEUS, pods[GATEWAY], port) for port in (9902, PROXY)}
    cells |= {(one, pods[GATEWAY], 8080) for one in (*pods.values(), *ELSEWHERE)}
    return cells


def shown(cells: set[Cell]) -> list[str]:
    return sorted(f"{source} -> {target}:{port}" for source, target, port in cells)


def test_bar_57_the_way_out_is_what_the_catalog_declares(
    objects: list[Object], pods: dict[str, Peer]
) -> None:
    found = {
        (pod, other, port)
        for pod in pods.values()
        for other in (*pods.values(), *ELSEWHERE)
        for port in PORTS
        if allows(objects, "Egress", pod, other, port)
    }
    assert shown(found) == shown(expected_egress(pods))


def test_bar_57_the_way_in_is_what_the_catalog_declares(
    objects: list[Object], pods: dict[str, Peer]
) -> None:
    found = {
        (other, pod, port)
        for pod in pods.values()
        for other in (*pods.values(), *ELSEWHERE)
        for port in PORTS
        if allows(objects, "Ingress", pod, other, port)
    }
    assert shown(found) == shown(expected_ingress(pods))


def test_bar_57_every_pod_is_selected_both_ways(
    objects: list[Object], pods: dict[str, Peer]
) -> None:
    (deny,) = (
        one["spec"]
        for one in of_kind(objects, "NetworkPolicy")
        if one["metadata"]["name"] == "default-deny"
    )
    assert deny == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert set(pods) == {*catalog().names, GATEWAY, "postgres", "redis", LOAD}


def test_every_policy_lists_the_ways_that_it_rules(objects: list[Object]) -> None:
    """A policy without `policyTypes: [Egress]` silently ignores its egress rules."""
    for one in of_kind(objects, "NetworkPolicy"):
        spec = one["spec"]
        for way in ("ingress", "egress"):
            if way in spec:
                assert way.capitalize() in spec["policyTypes"], one["metadata"]["name"]
                # A rule without ports would open all of them.
                assert all(rule["ports"] for rule in spec[way]), one["metadata"]["name"]


def test_only_names_are_asked_over_udp(objects: list[Object]) -> None:
    udp = {
        entry["port"]
        for one in of_kind(objects, "NetworkPolicy")
        for way in ("ingress", "egress")
        for rule in one["spec"].get(way, [])
        for entry in rule["ports"]
        if entry["protocol"] == "UDP"
    }
    assert udp == {53}


def test_every_port_that_is_allowed_is_one_that_somebody_listens_on(
    objects: list[Object], pods: dict[str, Peer]
) -> None:
    """A port that changes in a Deployment and not here would cut the service off."""
    listening = {
        (pod["metadata"]["labels"]["app.kubernetes.io/name"], port["containerPort"])
        for _, pod in pod_specs(objects)
        for one in pod["spec"]["containers"]
        for port in one.get("ports", [])
    }
    wanted = {(target, port) for _, target, port in declared()} | {(GATEWAY, 8080), (GATEWAY, 9902)}
    assert wanted == listening
