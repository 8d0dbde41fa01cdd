"""What Linkerd lets through, against what the services declare."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.manifests.combine import compose, selects
from tests.manifests.matrix import (
    CALLERS,
    INGRESS,
    LIVENESS,
    NOBODY,
    PROMETHEUS,
    READINESS,
    STRANGER,
    allowed,
    every_request,
)
from tests.manifests.support import ROOT, Object, catalog, named, of_kind, pod_specs
from titanium.layout import GATEWAY
from titanium.mesh.policy import load_policy

pytestmark = pytest.mark.integration

NAMESPACES = ("titanium", "titanium-prod")
ROUTES, POLICIES = "gateway.networking.k8s.io", "policy.linkerd.io"


class Identity(NamedTuple):
    """A service account, as a certificate names it."""

    namespace: str
    account: str


@pytest.fixture(scope="module", params=NAMESPACES)
def namespace(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def objects(manifests: Path, namespace: str) -> list[Object]:
    return compose(manifests, ("linkerd", "load-generator"), namespace)


def identity(caller: str, namespace: str) -> Identity | None:
    other = next(one for one in NAMESPACES if one != namespace)
    return {
        PROMETHEUS: Identity("monitoring", "kube-prometheus-stack-prometheus"),
        INGRESS: Identity("ingress", "ingress"),
        STRANGER: Identity(other, GATEWAY),
        NOBODY: None,
    }.get(caller, Identity(namespace, caller))


def is_authenticated(objects: list[Object], policy: Object, who: Identity | None) -> bool:
    """Whether every authentication that a policy requires is met."""
    for reference in policy["spec"]["requiredAuthenticationRefs"]:
        assert reference["group"] == POLICIES
        one = named(objects, reference["kind"], reference["name"])
        if reference["kind"] == "NetworkAuthentication":
            assert [net["cidr"] for net in one["spec"]["networks"]] == ["0.0.0.0/0", "::/0"]
            continue
        accounts = {
            Identity(ref.get("namespace", one["metadata"]["namespace"]), ref["name"])
            for ref in one["spec"]["identityRefs"]
            if ref["kind"] == "ServiceAccount"
        }
        if who not in accounts:
            return False
    return True


def permits(objects: list[Object], kind: str, name: str, who: Identity | None) -> bool:
    group = ROUTES if kind == "HTTPRoute" else POLICIES
    return any(
        is_authenticated(objects, one, who)
        for one in of_kind(objects, "AuthorizationPolicy")
        if one["spec"]["targetRef"] == {"group": group, "kind": kind, "name": name}
    )


def path_matches(match: Object, path: str) -> bool:
    kind, value = match["type"], match["value"]
    if kind == "Exact":
        return bool(path == value)
    if kind == "PathPrefix":
        return path == value or path.startswith(value.rstrip("/") + "/")
    assert kind == "RegularExpression"
    return re.fullmatch(value, path) is not None


def route_of(objects: list[Object], server: str, method: str, path: str) -> str | None:
    """The one route that a request belongs to: an exact path before all others."""
    exact, others = set(), set()
    for route in of_kind(objects, "HTTPRoute"):
        if server not in {ref["name"] for ref in route["spec"]["parentRefs"]}:
            continue
        for match in (one for rule in route["spec"]["rules"] for one in rule["matches"]):
            if match["method"] == method and path_matches(match["path"], path):
                found = exact if match["path"]["type"] == "Exact" else others
                found.add(route["metadata"]["name"])
    best = exact or others
    assert len(best) <= 1, f"{method} {path} at {server} belongs to {sorted(best)}"
    return best.pop() if best else None


def server_of(objects: list[Object], labels: dict[str, str], port: str) -> Object | None:
    found = [
        one
        for one in of_kind(objects, "Server")
        if selects(one["spec"]["podSelector"], labels) and one["spec"]["port"] == port
    ]
    assert len(found) <= 1, "two Servers for one port exclude each other"
    return found[0] if found else None


def labels_of(objects: list[Object], name: str) -> dict[str, str]:
    return next(
        dict(pod["metadata"]["labels"])
        for _, pod in pod_specs(objects)
        if pod["metadata"]["labels"]["app.kubernetes.io/name"] == name
    )


def test_bar_38_the_whole_matrix_is_the_catalogs(objects: list[Object], namespace: str) -> None:
    """Caller x service x method x path; probes alone are answered to anybody."""
    wrong = []
    servers = {
        name: server_of(objects, labels_of(objects, name), "http") for name in catalog().names
    }
    routes: dict[tuple[str, str, str], str | None] = {}
    for caller, service, method, path in every_request():
        server = servers[service]
        assert server is not None
        key = (service, method, path)
        if key not in routes:
            routes[key] = route_of(objects, server["metadata"]["name"], method, path)
        route = routes[key]
        found = route is not None and permits(
            objects, "HTTPRoute", route, identity(caller, namespace)
        )
        probe = method == "GET" and path in (LIVENESS, READINESS)
        if found != (probe or allowed(caller, service, method, path)):
            wrong.append((caller, service, method, path, route))
    assert wrong == []


@pytest.mark.parametrize(("name", "needs"), [("postgres", "postgres"), ("redis", "redis")])
def test_data_is_reached_by_those_who_need_it(
    objects: list[Object], namespace: str, name: str, needs: str
) -> None:
    server = server_of(objects, labels_of(objects, name), name)
    assert server is not None
    assert server["spec"]["proxyProtocol"] == "opaque"
    found = {
        caller
        for caller in CALLERS
        if permits(objects, "Server", server["metadata"]["name"], identity(caller, namespace))
    }
    assert found == {one.name for one in catalog() if getattr(one.needs, needs)}
    (port,) = named(objects, "Service", name)["spec"]["ports"]
    annotations = named(objects, "Service", name)["metadata"]["annotations"]
    assert annotations["config.linkerd.io/opaque-ports"] == str(port["port"])


def test_metrics_are_for_prometheus(objects: list[Object], namespace: str) -> None:
    server = server_of(objects, labels_of(objects, GATEWAY), "metrics")
    assert server is not None
    for caller in CALLERS:
        who = identity(caller, namespace)
        for path, anybody in (("/ready", True), ("/stats/prometheus", False)):
            route = route_of(objects, server["metadata"]["name"], "GET", path)
            assert route is not None
            assert permits(objects, "HTTPRoute", route, who) == (anybody or caller == PROMETHEUS)
        assert permits(objects, "Server", "proxies", who) == (caller == PROMETHEUS)
    assert route_of(objects, server["metadata"]["name"], "GET", "/quitquitquit") is None


def test_what_no_rule_allows_is_denied(objects: list[Object]) -> None:
    (space,) = of_kind(objects, "Namespace")
    annotations = space["metadata"]["annotations"]
    assert annotations["linkerd.io/inject"] == "enabled"
    assert annotations["config.linkerd.io/default-inbound-policy"] == "deny"
    for one in of_kind(objects, "Server"):
        assert one["spec"]["accessPolicy"] == "deny"


def test_every_port_has_a_server_but_the_public_one(objects: list[Object]) -> None:
    """The gateway's 8080 goes past the proxy: its clients have no identity, but an address."""
    for name, pod in pod_specs(objects):
        skipped = pod["metadata"].get("annotations", {}).get("config.linkerd.io/skip-inbound-ports")
        assert (skipped == "8080") == (name == f"Deployment/{GATEWAY}")
        for port in (port for one in pod["spec"]["containers"] for port in one.get("ports", [])):
            server = server_of(objects, pod["metadata"]["labels"], port["name"])
            assert (server is None) == (str(port["containerPort"]) == skipped), (name, port)


def test_every_reference_leads_somewhere(objects: list[Object]) -> None:
    for route in of_kind(objects, "HTTPRoute"):
        for ref in route["spec"]["parentRefs"]:
            assert (ref["group"], ref["kind"]) == (POLICIES, "Server")
            assert named(objects, "Server", ref["name"])["spec"]["proxyProtocol"] == "HTTP/1"
        name = route["metadata"]["name"]
        targets = [one["spec"]["targetRef"] for one in of_kind(objects, "AuthorizationPolicy")]
        assert {"group": ROUTES, "kind": "HTTPRoute", "name": name} in targets
    for one in of_kind(objects, "AuthorizationPolicy"):
        target = one["spec"]["targetRef"]
        named(objects, target["kind"], target["name"])
    for one in of_kind(objects, "MeshTLSAuthentication"):
        for ref in one["spec"]["identityRefs"]:
            if "namespace" not in ref:
                named(objects, "ServiceAccount", ref["name"])


def test_probes_of_the_pods_are_among_those_let_in(objects: list[Object]) -> None:
    for name, pod in pod_specs(objects):
        for one in pod["spec"]["containers"]:
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                if get := one.get(probe, {}).get("httpGet"):
                    server = server_of(objects, pod["metadata"]["labels"], get["port"])
                    assert server is not None
                    route = route_of(objects, server["metadata"]["name"], "GET", get["path"])
                    assert route is not None
                    assert permits(objects, "HTTPRoute", route, None), (name, probe)


def test_calls_have_the_policys_figures(objects: list[Object]) -> None:
    policy = load_policy(ROOT)
    for name in catalog().names:
        annotations = named(objects, "Service", name)["metadata"]["annotations"]
        accrual = "balancer.linkerd.io/failure-accrual"
        assert annotations[accrual] == "consecutive"
        assert annotations[f"{accrual}-consecutive-max-failures"] == str(
            policy.outlier.consecutive_5xx
        )
        assert annotations[f"{accrual}-consecutive-min-penalty"] == (
            f"{policy.outlier.ejection_seconds}s"
        )
        assert annotations["timeout.linkerd.io/request"] == f"{policy.timeouts.request_seconds:g}s"
        assert not any(key.startswith("retry.linkerd.io") for key in annotations)


def test_nothing_leaves_the_cluster(objects: list[Object]) -> None:
    (network,) = of_kind(objects, "EgressNetwork")
    assert network["spec"] == {"trafficPolicy": "Deny"}
