"""What Istio lets through, against what the services declare; figures against mesh/policy.toml."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.manifests.combine import compose, selects
from tests.manifests.matrix import (
    CALLERS,
    INGRESS,
    NOBODY,
    PROMETHEUS,
    STRANGER,
    allowed,
    every_request,
)
from tests.manifests.support import (
    MANIFESTS,
    ROOT,
    Object,
    build,
    catalog,
    named,
    of_kind,
    pod_specs,
)
from titanium.layout import GATEWAY
from titanium.mesh import kubernetes
from titanium.mesh.policy import load_policy
from titanium_kit.settings import ServiceSettings

pytestmark = pytest.mark.integration

NAMESPACES = ("titanium", "titanium-prod")
DATA = {"postgres": 5432, "redis": 6379}
COMPONENTS = ("istio", "load-generator")


@pytest.fixture(scope="module", params=NAMESPACES)
def namespace(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def objects(manifests: Path, namespace: str) -> list[Object]:
    return compose(manifests, COMPONENTS, namespace)


def principal(caller: str, namespace: str) -> str | None:
    """The name in a caller's certificate; None without one."""
    other = next(one for one in NAMESPACES if one != namespace)
    special = {
        PROMETHEUS: "monitoring/sa/kube-prometheus-stack-prometheus",
        INGRESS: "istio-ingress/sa/istio-ingressgateway",
        # The right account in the wrong namespace.
        STRANGER: f"{other}/sa/gateway",
    }
    if caller == NOBODY:
        return None
    return f"cluster.local/ns/{special.get(caller, f'{namespace}/sa/{caller}')}"


def path_matches(pattern: str, path: str) -> bool:
    """Istio's path patterns: exact, `prefix*`, and `{*}` for one segment."""
    if "{" in pattern:
        assert pattern.count("{") == pattern.count("{*}"), pattern
        return re.fullmatch(re.escape(pattern).replace(r"\{\*\}", "[^/]+"), path) is not None
    if pattern.endswith("*"):
        return path.startswith(pattern[:-1])
    assert "*" not in pattern, pattern
    return pattern == path


def operation_allows(operation: Object, port: int, method: str, path: str) -> bool:
    assert set(operation) <= {"ports", "methods", "paths"}, operation
    return (
        str(port) in operation["ports"]
        and ("methods" not in operation or method in operation["methods"])
        and (
            "paths" not in operation
            or any(path_matches(pattern, path) for pattern in operation["paths"])
        )
    )


def lets_in(
    objects: list[Object],
    labels: dict[str, str],
    who: str | None,
    port: int,
    method: str,
    path: str,
) -> bool:
    """Istio's decision: of the policies that select the pod, one has to allow it."""
    policies = [
        one["spec"]
        for one in of_kind(objects, "AuthorizationPolicy")
        if selects(one["spec"].get("selector"), labels)
    ]
    assert policies, "nothing denies by default"
    for spec in policies:
        assert spec.get("action", "ALLOW") == "ALLOW"
        for rule in spec.get("rules", []):
            assert set(rule) == {"from", "to"}, "a rule without callers or operations allows all"
            callers = {name for one in rule["from"] for name in one["source"]["principals"]}
            if who in callers and any(
                operation_allows(one["operation"], port, method, path) for one in rule["to"]
            ):
                return True
    return False


def labels_of(objects: list[Object], name: str) -> dict[str, str]:
    return next(
        dict(pod["metadata"]["labels"])
        for _, pod in pod_specs(objects)
        if pod["metadata"]["labels"]["app.kubernetes.io/name"] == name
    )


def test_bar_38_the_whole_matrix_is_the_catalogs(objects: list[Object], namespace: str) -> None:
    """Caller x service x method x path, in whichever namespace the platform runs."""
    labels = {name: labels_of(objects, name) for name in catalog().names}
    wrong = [
        (caller, service, method, path)
        for caller, service, method, path in every_request()
        if lets_in(objects, labels[service], principal(caller, namespace), 8000, method, path)
        != allowed(caller, service, method, path)
    ]
    assert wrong == []


def test_data_is_reached_by_those_who_need_it(objects: list[Object], namespace: str) -> None:
    for name, port in DATA.items():
        found = {
            caller
            for caller in CALLERS
            if lets_in(
                objects, labels_of(objects, name), principal(caller, namespace), port, "", ""
            )
        }
        needs = {"postgres": "postgres", "redis": "redis"}[name]
        assert found == {one.name for one in catalog() if getattr(one.needs, needs)}


def test_the_gateway_is_reached_by_the_ingress_and_the_load_alone(
    objects: list[Object], namespace: str
) -> None:
    labels = labels_of(objects, GATEWAY)
    found = {
        caller
        for caller in CALLERS
        if lets_in(objects, labels, principal(caller, namespace), 8080, "POST", "/api/login")
    }
    assert found == {INGRESS, "load-generator"}
    metrics = {
        (caller, path)
        for caller in CALLERS
        for path in ("/stats/prometheus", "/ready", "/quitquitquit")
        if lets_in(objects, labels, principal(caller, namespace), 9902, "GET", path)
    }
    assert metrics == {(PROMETHEUS, "/stats/prometheus")}


def test_everything_is_denied_that_nobody_allows(objects: list[Object]) -> None:
    assert named(objects, "AuthorizationPolicy", "default-deny")["spec"] == {}


def test_bar_37_mutual_tls_or_nothing(objects: list[Object]) -> None:
    (peers,) = of_kind(objects, "PeerAuthentication")
    assert peers["spec"] == {"mtls": {"mode": "STRICT"}}
    rules = of_kind(objects, "DestinationRule")
    assert {one["spec"]["host"] for one in rules} == {GATEWAY, *catalog().names, *DATA}
    for one in rules:
        assert one["spec"]["trafficPolicy"]["tls"] == {"mode": "ISTIO_MUTUAL"}
    (space,) = of_kind(objects, "Namespace")
    assert space["metadata"]["labels"]["istio-injection"] == "enabled"


def test_pools_and_ejection_have_the_policys_figures(objects: list[Object]) -> None:
    policy = load_policy(ROOT)
    for one in of_kind(objects, "DestinationRule"):
        traffic = one["spec"]["trafficPolicy"]
        tcp = traffic["connectionPool"]["tcp"]
        assert tcp["connectTimeout"] == f"{policy.timeouts.connect_ms}ms"
        assert tcp["maxConnections"] == policy.breakers.requests
        if one["spec"]["host"] in DATA:
            continue
        http = traffic["connectionPool"]["http"]
        assert http["http2MaxRequests"] == policy.breakers.requests
        assert http["http1MaxPendingRequests"] == policy.breakers.requests
        # At once to one service: a number, where the local mesh counts a share of the requests.
        assert http["maxRetries"] == 3
        assert http["idleTimeout"] == f"{policy.timeouts.idle_seconds}s"
        assert traffic["outlierDetection"] == {
            "consecutive5xxErrors": policy.outlier.consecutive_5xx,
            "interval": f"{policy.outlier.interval_ms // 1000}s",
            "baseEjectionTime": f"{policy.outlier.ejection_seconds}s",
            "maxEjectionPercent": policy.outlier.max_ejection_percent,
        }
    for name in catalog().names:
        pool = named(objects, "Sidecar", name)["spec"]["inboundConnectionPool"]
        assert pool["tcp"]["maxConnections"] == policy.breakers.app_connections
        assert pool["http"]["http1MaxPendingRequests"] == policy.breakers.app_pending


def test_bar_26_nothing_that_writes_is_sent_twice(objects: list[Object]) -> None:
    policy = load_policy(ROOT)
    for name in catalog().names:
        spec = named(objects, "VirtualService", name)["spec"]
        assert spec["hosts"] == [name]
        gateway, reads, writes = spec["http"]
        assert gateway["match"] == [{"sourceLabels": {"app.kubernetes.io/name": GATEWAY}}]
        # It retries itself, within its budget; twice would multiply.
        assert gateway["retries"] == {"attempts": 0}
        assert gateway["timeout"] == f"{policy.timeouts.request_seconds:g}s"
        assert reads["match"] == [{"method": {"exact": "GET"}}]
        assert reads["retries"] == {
            "attempts": policy.retries.attempts,
            "retryOn": "connect-failure,refused-stream",
        }
        assert writes["retries"] == {"attempts": 0}
        assert "match" not in writes
        for one in (reads, writes):
            assert one["timeout"] == f"{policy.timeouts.call_seconds:g}s"


def test_proxies_know_only_what_their_pods_may_call(objects: list[Object], namespace: str) -> None:
    collector = "observability/otel-collector.observability.svc.cluster.local"
    wanted: dict[str, set[str]] = {GATEWAY: set(catalog().names), "load-generator": {GATEWAY}}
    for service in catalog():
        wanted[service.name] = set(catalog().callees(service.name))
        wanted[service.name] |= {"postgres"} if service.needs.postgres else set()
        wanted[service.name] |= {"redis"} if service.needs.redis else set()
    wanted |= {"postgres": set(), "redis": set()}
    found = of_kind(objects, "Sidecar")
    assert {one["metadata"]["name"] for one in found} == set(wanted)
    for one in found:
        name, spec = one["metadata"]["name"], one["spec"]
        assert spec["workloadSelector"] == {"labels": {"app.kubernetes.io/name": name}}
        assert spec["outboundTrafficPolicy"] == {"mode": "REGISTRY_ONLY"}
        hosts = {host for part in spec["egress"] for host in part["hosts"]}
        ours = {f"./{target}.{namespace}.svc.cluster.local" for target in wanted[name]}
        assert hosts - {collector, "~/*"} == ours
        assert (collector in hosts) == (name in (GATEWAY, *catalog().names))
        # Without any host Istio would give it all of them.
        assert hosts


def test_tokens_are_those_of_the_services(objects: list[Object], namespace: str) -> None:
    fields = ServiceSettings.model_fields
    for one in of_kind(objects, "RequestAuthentication"):
        (rule,) = one["spec"]["jwtRules"]
        assert rule["issuer"] == fields["token_issuer"].default
        assert rule["audiences"] == [fields["token_audience"].default]
        assert rule["jwksUri"] == (
            f"http://auth.{namespace}.svc.cluster.local:8000/.well-known/jwks.json"
        )
        assert rule["fromHeaders"] == [{"name": "authorization", "prefix": "Bearer "}]
        assert rule["forwardOriginalToken"] is True
        # The proxy fetches the keys as the service beside it, so that one must be allowed to.
        name = one["metadata"]["name"]
        assert one["spec"]["selector"]["matchLabels"] == {"app.kubernetes.io/name": name}
        assert allowed(name, "auth", "GET", "/.well-known/jwks.json")


def test_anonymous_reads_and_logins_need_no_token(objects: list[Object]) -> None:
    """No rule asks for a token; auth, where expired ones are normal, does not even look."""
    found = {one["metadata"]["name"] for one in of_kind(objects, "RequestAuthentication")}
    assert found == {name for name in catalog().names if "auth" in catalog().callees(name)}
    for one in of_kind(objects, "AuthorizationPolicy"):
        assert "requestPrincipals" not in json.dumps(one)
        assert "when" not in json.dumps(one)


def test_requests_come_through_our_gateway(objects: list[Object]) -> None:
    (ingress,) = of_kind(objects, "Gateway")
    https, http = ingress["spec"]["servers"]
    assert https["tls"]["mode"] == "SIMPLE"
    assert https["tls"]["credentialName"] == "titanium-tls"
    assert http["tls"] == {"httpsRedirect": True}
    spec = named(objects, "VirtualService", "titanium")["spec"]
    assert spec["gateways"] == [ingress["metadata"]["name"]]
    (route,) = spec["http"]
    assert "match" not in route
    assert route["retries"] == {"attempts": 0}
    (target,) = route["route"]
    assert target["destination"] == {"host": GATEWAY, "port": {"number": 8080}}
    # Longer than our gateway takes to give up: its answer says more.
    assert int(route["timeout"][:-1]) > load_policy(ROOT).timeouts.request_seconds


def test_our_gateway_takes_the_clients_address_from_the_ingress(objects: list[Object]) -> None:
    """It is started as its image does it, but with the other configuration."""
    text = re.sub(r"\\\n\s*", " ", (ROOT / "services" / GATEWAY / "Dockerfile").read_text("utf-8"))
    entry, rest = (
        json.loads(re.search(rf"(?m)^{word} (.*)$", text)[1])  # type: ignore[index]
        for word in ("ENTRYPOINT", "CMD")
    )
    pod = named(objects, "Deployment", GATEWAY)["spec"]["template"]["spec"]
    (one,) = pod["containers"]
    plain, behind = (
        str(kubernetes.IMAGE / name) for name in (kubernetes.BOOTSTRAP, kubernetes.BEHIND_PROXY)
    )
    assert one["command"] == [behind if word == plain else word for word in entry]
    assert behind in one["command"]
    assert one["args"] == rest


@pytest.mark.parametrize(
    ("name", "hops"), [(kubernetes.BOOTSTRAP, 0), (kubernetes.BEHIND_PROXY, 1)]
)
def test_the_two_configurations_differ_in_whom_they_trust(name: str, hops: int) -> None:
    document = json.loads((ROOT / kubernetes.SOURCE / name).read_text("utf-8"))
    public = document["static_resources"]["listeners"][0]
    manager = public["filter_chains"][0]["filters"][0]["typed_config"]
    assert manager["use_remote_address"] is True
    assert manager["xff_num_trusted_hops"] == hops


def test_100_requests_a_minute_and_client_at_the_ingress(objects: list[Object]) -> None:
    limit = named(objects, "EnvoyFilter", "titanium-client-limit")
    assert limit["metadata"]["namespace"] == "istio-ingress"
    (ingress,) = of_kind(objects, "Gateway")
    assert limit["spec"]["workloadSelector"]["labels"] == ingress["spec"]["selector"]
    (patch,) = limit["spec"]["configPatches"]
    assert patch["match"]["context"] == "GATEWAY"
    config = patch["patch"]["value"]["typed_config"]
    (descriptor,) = config["descriptors"]
    assert descriptor["token_bucket"] == {
        "max_tokens": 100,
        "tokens_per_fill": 100,
        "fill_interval": "60s",
    }
    # No value: one bucket for each that is seen.
    assert descriptor["entries"] == [{"key": "masked_remote_address"}]
    (rates,) = config["rate_limits"]
    assert [set(action) for action in rates["actions"]] == [{"masked_remote_address"}]
    assert config["always_consume_default_token_bucket"] is False
    for part in ("filter_enabled", "filter_enforced"):
        assert config[part]["default_value"] == {"numerator": 100, "denominator": "HUNDRED"}


def test_bar_30_the_ingress_has_the_edges_bounds(objects: list[Object]) -> None:
    edge = load_policy(ROOT).edge
    (patch,) = named(objects, "EnvoyFilter", "titanium-edge")["spec"]["configPatches"]
    config = patch["patch"]["value"]["typed_config"]
    assert config["request_headers_timeout"] == f"{edge.header_timeout_seconds}s"
    assert config["request_timeout"] == f"{edge.request_timeout_seconds:g}s"
    assert config["stream_idle_timeout"] == f"{edge.stream_idle_timeout_seconds:g}s"
    common = config["common_http_protocol_options"]
    assert common["idle_timeout"] == f"{edge.idle_timeout_seconds:g}s"
    assert common["headers_with_underscores_action"] == "REJECT_REQUEST"
    assert config["path_with_escaped_slashes_action"] == "REJECT_REQUEST"
    assert config["http2_protocol_options"]["max_concurrent_streams"] == 100


def test_the_ingress_filters_never_land_in_our_namespace(manifests: Path) -> None:
    """A plain `namespace:` in an overlay with Istio would move them, and switch them off."""
    for folder in sorted((MANIFESTS / "overlays").iterdir()):
        if not (folder / "kustomization.yaml").is_file():
            continue
        text = (folder / "kustomization.yaml").read_text("utf-8")
        if "components/istio" not in text:
            continue
        for one in of_kind(build(manifests / "overlays" / folder.name), "EnvoyFilter"):
            if "istio" in one["spec"].get("workloadSelector", {}).get("labels", {}):
                assert one["metadata"]["namespace"] == "istio-ingress", folder.name


def test_sidecars_are_small_and_up_before_the_app(objects: list[Object]) -> None:
    for name, pod in pod_specs(objects):
        annotations = pod["metadata"]["annotations"]
        assert annotations["sidecar.istio.io/proxyCPU"] == "200m", name
        assert annotations["sidecar.istio.io/proxyMemory"] == "256Mi", name
        assert annotations["sidecar.istio.io/proxyMemoryLimit"] == "256Mi", name
        assert "holdApplicationUntilProxyStarts: true" in annotations["proxy.istio.io/config"]
        # Under STRICT a connection past the proxy is refused at its other end.
        assert not any(key.startswith("traffic.sidecar.istio.io/exclude") for key in annotations)


def test_telemetry_traces_as_much_as_the_local_mesh(objects: list[Object]) -> None:
    (telemetry,) = of_kind(objects, "Telemetry")
    (tracing,) = telemetry["spec"]["tracing"]
    assert tracing["randomSamplingPercentage"] == load_policy(ROOT).tracing.sampling_percent
    assert telemetry["spec"]["metrics"] == [{"providers": [{"name": "prometheus"}]}]
