"""What is rendered to watch the platform with, and that it can be left out."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from titanium.catalog import LATENCIES_MS, Catalog
from titanium.layout import Home, Ports
from titanium.mesh import (
    Edge,
    Policy,
    local_gateway,
    local_sidecar,
    render_gateway,
    render_sidecar,
)
from titanium.mesh.faults import runtime_settings
from titanium.supervise.protocol import FaultRequest

from .conftest import HOME, PORTS

pytestmark = pytest.mark.unit

NO_FAULT = {
    "titanium.fault_percent": "",
    "fault.http.delay.fixed_delay_percent": "",
    "fault.http.delay.fixed_duration_ms": "",
    "fault.http.abort.abort_percent": "",
    "fault.http.abort.http_status": "",
}


def managers(bootstrap: dict[str, Any]) -> list[dict[str, Any]]:
    """Of every chain of every listener."""
    listeners = bootstrap["static_resources"]["listeners"]
    chains = [chain for one in listeners for chain in one["filter_chains"]]
    return [chain["filters"][0]["typed_config"] for chain in chains]


def early(manager: dict[str, Any]) -> str:
    (extension,) = manager["early_header_mutation_extensions"]
    return json.dumps(extension["typed_config"]["mutations"])


def public(gateway: dict[str, Any]) -> list[dict[str, Any]]:
    """The managers that clients reach."""
    prefixes = ("gateway_http", "gateway_https")
    return [one for one in managers(gateway) if one["stat_prefix"] in prefixes]


def matcher(manager: dict[str, Any]) -> dict[str, Any]:
    (host,) = manager["route_config"]["virtual_hosts"]
    found: dict[str, Any] = host["matcher"]
    return found


@pytest.mark.parametrize(
    ("percent", "numerator"), [(0, None), (1, 10_000), (2.5, 25_000), (100, 1_000_000)]
)
def test_the_gateway_draws_the_policys_share(
    catalog: Catalog, policy: Policy, edge: Edge, percent: float, numerator: int | None
) -> None:
    tracing = policy.tracing.model_copy(update={"sampling_percent": percent})
    bounds = policy.edge.model_copy(update={"xff_num_trusted_hops": 1})
    more = policy.model_copy(update={"tracing": tracing, "edge": bounds})
    for manager in public(render_gateway(catalog, more, edge, local_gateway(HOME, PORTS))):
        text = json.dumps(matcher(manager))
        assert ("RuntimeFraction" in text) is (numerator is not None)
        if numerator is not None:
            assert f'{{"numerator": {numerator}, "denominator": "MILLION"}}' in text


def test_requests_that_are_not_traced_meet_no_tracer(
    gateway: dict[str, Any], sidecars: dict[str, dict[str, Any]]
) -> None:
    assert [one["stat_prefix"] for one in managers(gateway) if "tracing" in one] == [
        "gateway_traced"
    ]
    for bootstrap in sidecars.values():
        found = [(one["stat_prefix"], "tracing" in one) for one in managers(bootstrap)]
        assert found == [("inbound", True), ("inbound", False), ("egress", True)]
        inbound = bootstrap["static_resources"]["listeners"][0]["filter_chains"]
        names = [one.get("filter_chain_match") for one in inbound]
        assert names == [{"server_names": ["traced.titanium.internal"]}, None]


def test_the_two_ways_into_a_sidecar_differ_in_the_tracer_only(
    sidecars: dict[str, dict[str, Any]],
) -> None:
    tracer = {"tracing", "request_id_extension", "early_header_mutation_extensions"}
    for bootstrap in sidecars.values():
        traced, plain, _ = managers(bootstrap)
        assert {key: value for key, value in traced.items() if key not in tracer} == plain
        first, second = bootstrap["static_resources"]["listeners"][0]["filter_chains"]
        assert first["transport_socket"] == second["transport_socket"]


def test_both_ways_to_a_service_are_one_cluster(gateway: dict[str, Any]) -> None:
    names = [one["name"] for one in gateway["static_resources"]["clusters"]]
    assert names == ["alpha", "beta", "gateway.traced", "otlp"]
    ways = {one["stat_prefix"]: json.dumps(one["http_filters"]) for one in managers(gateway)}
    assert "traced.titanium.internal" in ways.pop("gateway_traced")
    for filters in ways.values():
        assert "traced.titanium.internal" not in filters


def test_sidecars_begin_no_trace(sidecars: dict[str, dict[str, Any]]) -> None:
    for bootstrap in sidecars.values():
        for manager in managers(bootstrap):
            if "tracing" in manager:
                assert early(manager) == (
                    '[{"append": {"header": {"key": "traceparent", "value": "0"}, '
                    '"append_action": "ADD_IF_ABSENT"}}]'
                )


def test_no_span_names_a_query(gateway: dict[str, Any], sidecars: dict[str, Any]) -> None:
    for bootstrap in (gateway, *sidecars.values()):
        for manager in managers(bootstrap):
            if "tracing" in manager:
                tags = manager["tracing"]["custom_tags"]
                assert {"tag": "http.url", "value": "%PATH(NQ:ORIG_OR_PATH)%"} in tags
                assert "NQ" in manager["tracing"]["operation"]


def test_without_observability_nothing_is_traced_faulted_or_counted_by_cluster(
    catalog: Catalog, policy: Policy, edge: Edge
) -> None:
    gateway = render_gateway(catalog, policy, edge, local_gateway(HOME, PORTS, observability=False))
    topology = local_sidecar(HOME, PORTS, catalog.names, "alpha", 0, observability=False)
    for bootstrap in (gateway, render_sidecar(catalog, policy, "alpha", topology)):
        text = json.dumps(bootstrap)
        for absent in ("OpenTelemetryConfig", "otlp", "traced", "filters.http.fault"):
            assert absent not in text
        for manager in managers(bootstrap):
            assert manager["http_filters"][-1]["typed_config"]["dynamic_stats"] is False


def test_a_client_may_be_traced_from_loopback_only_when_no_proxy_stands_before_the_gateway(
    catalog: Catalog, policy: Policy, edge: Edge
) -> None:
    secret = "a-secret-token-of-the-console"

    def rendered(hops: int, token: str | None, bind: str = "127.0.0.1") -> str:
        bounds = policy.edge.model_copy(update={"xff_num_trusted_hops": hops})
        behind = policy.model_copy(update={"edge": bounds})
        topology = replace(
            local_gateway(Home(HOME.root), Ports(20000), trace_token=token), bind=bind
        )
        (manager, _) = public(render_gateway(catalog, behind, edge, topology))
        (host,) = manager["route_config"]["virtual_hosts"]
        assert "tracestate" in host["request_headers_to_remove"]
        ways = host["matcher"]["matcher_list"]["matchers"]
        *asked, drawn = [json.dumps(one["predicate"]) for one in ways]
        assert "RuntimeFraction" in drawn
        forwarded = [
            [one for one in way["action"]["typed_config"]["routes"] if goes_on(one)]
            for way in (ways[-1]["on_match"], host["matcher"]["on_no_match"])
        ]
        for route in (*forwarded[0], *forwarded[1]):
            assert "traceparent" in route["request_headers_to_remove"]
        return asked[0] if asked else ""

    def goes_on(route: dict[str, Any]) -> bool:
        # A preflight is answered on its route.
        return "route" in route and "OPTIONS" not in json.dumps(route["match"])

    for text in (rendered(0, None), rendered(0, secret)):
        assert "traceparent" in text
        assert "token" not in text
    for text in (rendered(1, secret), rendered(0, secret, "0.0.0.0")):
        assert f'"exact": "{secret}"' in text
        assert "and_matcher" in text
    for text in (rendered(1, None), rendered(0, None, "0.0.0.0")):
        assert text == ""


def test_the_token_is_not_in_the_topologys_text() -> None:
    assert "secret" not in repr(local_gateway(HOME, PORTS, trace_token="secret"))


@pytest.mark.parametrize("token", ["' || true || '", "short", "a" * 16 + "%"])
def test_a_token_that_could_change_the_condition_is_refused(
    catalog: Catalog, policy: Policy, edge: Edge, token: str
) -> None:
    with pytest.raises(ValueError, match="trace_token"):
        render_gateway(catalog, policy, edge, local_gateway(HOME, PORTS, trace_token=token))


def test_in_a_cluster_its_own_mesh_traces(catalog: Catalog, policy: Policy, edge: Edge) -> None:
    topology = replace(local_gateway(HOME, PORTS), mesh=None, otlp_socket=None)
    text = json.dumps(render_gateway(catalog, policy, edge, topology))
    assert "OpenTelemetryConfig" not in text
    assert '"remove": "traceparent"' not in text


def test_every_objective_is_a_bound_of_the_histograms(gateway: dict[str, Any]) -> None:
    (setting,) = gateway["stats_config"]["histogram_bucket_settings"]
    assert set(LATENCIES_MS) <= set(setting["buckets"])


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("http.gateway_http.downstream_rq_5xx", True),
        ("http.inbound.downstream_rq_time", True),
        ("cluster.blog.upstream_rq_time", True),
        ("cluster.blog.upstream_rq_retry_overflow", True),
        ("cluster.blog.ssl.handshake", True),
        ("cluster.blog.outlier_detection.ejections_active", True),
        ("limit.http_local_rate_limit.rate_limited", True),
        ("http.inbound.rbac.denied", True),
        ("http.inbound.fault.delays_injected", True),
        ("listener.127.0.0.1_8080.downstream_cx_active", True),
        ("listener.127.0.0.1_8443.ssl.connection_error", True),
        ("server.uptime", True),
        ("http.admin.downstream_rq_2xx", False),
        ("listener.admin.downstream_cx_active", False),
        ("listener.127.0.0.1_8080.worker_0.downstream_cx_active", False),
        ("cluster.blog.upstream_rq_200", False),
        ("cluster.blog.ssl.ciphers.TLS_AES_128_GCM_SHA256", False),
        ("cluster.blog.lb_subsets_active", False),
    ],
)
def test_the_figures_that_dashboards_read_are_kept_and_the_rest_is_not(
    gateway: dict[str, Any], name: str, kept: bool
) -> None:
    patterns = gateway["stats_config"]["stats_matcher"]["inclusion_list"]["patterns"]
    found = any(re.fullmatch(one["safe_regex"]["regex"], name) for one in patterns)
    assert found is kept


def test_a_fault_becomes_runtime_keys_that_replace_those_before() -> None:
    assert runtime_settings(None) == NO_FAULT
    assert runtime_settings(FaultRequest(delay_ms=100, seconds=0)) == NO_FAULT
    assert runtime_settings(FaultRequest(delay_ms=100, percent=25)) == {
        **NO_FAULT,
        "titanium.fault_percent": "100",
        "fault.http.delay.fixed_delay_percent": "25",
        "fault.http.delay.fixed_duration_ms": "100",
    }
    assert runtime_settings(FaultRequest(abort_status=503)) == {
        **NO_FAULT,
        "titanium.fault_percent": "100",
        "fault.http.abort.abort_percent": "100",
        "fault.http.abort.http_status": "503",
    }
