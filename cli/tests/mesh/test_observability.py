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
    "fault.http.delay.fixed_delay_percent": "",
    "fault.http.delay.fixed_duration_ms": "",
    "fault.http.abort.abort_percent": "",
    "fault.http.abort.http_status": "",
}


def managers(bootstrap: dict[str, Any]) -> list[dict[str, Any]]:
    listeners = bootstrap["static_resources"]["listeners"]
    return [one["filter_chains"][0]["filters"][0]["typed_config"] for one in listeners]


def early(manager: dict[str, Any]) -> str:
    (extension,) = manager["early_header_mutation_extensions"]
    return json.dumps(extension["typed_config"]["mutations"])


@pytest.mark.parametrize(
    ("percent", "drawn"),
    [(0, "< '0000'"), (1, "< '028f'"), (2.5, "< '0666'"), (100, "true ? ''")],
)
def test_the_gateway_draws_the_policys_share(
    catalog: Catalog, policy: Policy, edge: Edge, percent: float, drawn: str
) -> None:
    tracing = policy.tracing.model_copy(update={"sampling_percent": percent})
    bounds = policy.edge.model_copy(update={"xff_num_trusted_hops": 1})
    more = policy.model_copy(update={"tracing": tracing, "edge": bounds})
    for manager in managers(render_gateway(catalog, more, edge, local_gateway(HOME, PORTS))):
        assert drawn in early(manager)


def test_sidecars_begin_no_trace(sidecars: dict[str, dict[str, Any]]) -> None:
    for bootstrap in sidecars.values():
        for manager in managers(bootstrap):
            assert early(manager) == (
                '[{"append": {"header": {"key": "traceparent", "value": "0"}, '
                '"append_action": "ADD_IF_ABSENT"}}]'
            )


def test_no_span_names_a_query(gateway: dict[str, Any], sidecars: dict[str, Any]) -> None:
    for bootstrap in (gateway, *sidecars.values()):
        for manager in managers(bootstrap):
            (tag,) = manager["tracing"]["custom_tags"]
            assert tag == {"tag": "http.url", "value": "%PATH(NQ:ORIG_OR_PATH)%"}
            assert "NQ" in manager["tracing"]["operation"]


def test_without_observability_nothing_is_traced_faulted_or_counted_by_cluster(
    catalog: Catalog, policy: Policy, edge: Edge
) -> None:
    gateway = render_gateway(catalog, policy, edge, local_gateway(HOME, PORTS, observability=False))
    topology = local_sidecar(HOME, PORTS, catalog.names, "alpha", 0, observability=False)
    for bootstrap in (gateway, render_sidecar(catalog, policy, "alpha", topology)):
        text = json.dumps(bootstrap)
        for absent in ("OpenTelemetryConfig", "otlp", "filters.http.fault"):
            assert absent not in text
        for manager in managers(bootstrap):
            assert manager["http_filters"][-1]["typed_config"]["dynamic_stats"] is False


def test_a_client_may_be_traced_from_loopback_only_when_no_proxy_stands_before_the_gateway(
    catalog: Catalog, policy: Policy, edge: Edge
) -> None:
    def rendered(hops: int, token: str | None) -> str:
        bounds = policy.edge.model_copy(update={"xff_num_trusted_hops": hops})
        behind = policy.model_copy(update={"edge": bounds})
        topology = local_gateway(Home(HOME.root), Ports(20000), trace_token=token)
        return early(managers(render_gateway(catalog, behind, edge, topology))[0])

    assert "127." in rendered(0, None)
    assert "127." not in rendered(1, "a-secret-token-of-the-console")
    assert "a-secret-token-of-the-console" in rendered(1, "a-secret-token-of-the-console")
    assert "(false)" in rendered(1, None)
    for text in (
        rendered(0, None),
        rendered(1, None),
        rendered(1, "a-secret-token-of-the-console"),
    ):
        assert '{"remove": "traceparent"}, {"remove": "tracestate"}' in text


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
        "fault.http.delay.fixed_delay_percent": "25",
        "fault.http.delay.fixed_duration_ms": "100",
    }
    assert runtime_settings(FaultRequest(abort_status=503)) == {
        **NO_FAULT,
        "fault.http.abort.abort_percent": "100",
        "fault.http.abort.http_status": "503",
    }
