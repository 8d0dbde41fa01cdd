"""Bars of the gateway and the mesh, on the rendered configuration."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from titanium.catalog import Catalog
from titanium.layout import Home, Ports
from titanium.mesh import Edge, Policy, local_gateway, render_gateway

pytestmark = pytest.mark.unit

HOME = Home(Path("/home/state"))
PORTS = Ports(20000)


def listeners(bootstrap: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in bootstrap["static_resources"]["listeners"]}


def manager(listener: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = listener["filter_chains"][0]["filters"][0]["typed_config"]
    return found


def routes(listener: dict[str, Any]) -> list[dict[str, Any]]:
    """All of them, by whatever way Envoy gets there."""
    found: list[dict[str, Any]] = []
    for host in manager(listener)["route_config"]["virtual_hosts"]:
        found += host.get("routes", [])
        matcher = host.get("matcher", {})
        ways = [one["on_match"] for one in matcher.get("matcher_list", {}).get("matchers", [])]
        if "on_no_match" in matcher:
            ways.append(matcher["on_no_match"])
        for way in ways:
            found += way["action"]["typed_config"]["routes"]
    return found


def clusters(bootstrap: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in bootstrap["static_resources"]["clusters"]}


def services(bootstrap: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The clusters that requests leave a proxy by."""
    inside = ("otlp", "gateway.traced")
    return {name: one for name, one in clusters(bootstrap).items() if name not in inside}


def filters(listener: dict[str, Any]) -> list[str]:
    return [one["name"].rpartition(".")[2] for one in manager(listener)["http_filters"]]


@pytest.fixture(params=["http", "https"])
def edge_listener(request: pytest.FixtureRequest, gateway: dict[str, Any]) -> dict[str, Any]:
    return listeners(gateway)[request.param]


@pytest.fixture
def proxies(
    gateway: dict[str, Any], sidecars: dict[str, dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    return {"gateway": gateway, **sidecars}


class TestBar30EdgeHardening:
    """Every item of Envoy's list for edge proxies."""

    def test_bar_30_admin_listens_on_an_owner_only_unix_socket(
        self, proxies: dict[str, dict[str, Any]]
    ) -> None:
        for bootstrap in proxies.values():
            assert bootstrap["admin"]["address"]["pipe"]["mode"] == 0o600
            assert "socket_address" not in bootstrap["admin"]["address"]

    def test_bar_30_overload_manager_bounds_memory_and_connections(
        self, gateway: dict[str, Any], policy: Policy
    ) -> None:
        overload = gateway["overload_manager"]
        monitors = {
            one["name"].rpartition(".")[2]: one["typed_config"]
            for one in overload["resource_monitors"]
        }
        assert monitors["fixed_heap"]["max_heap_size_bytes"] == policy.edge.max_heap_bytes
        most = monitors["global_downstream_max_connections"]["max_active_downstream_connections"]
        assert most == policy.edge.max_connections
        actions = {one["name"].rpartition(".")[2] for one in overload["actions"]}
        assert {"shrink_heap", "stop_accepting_requests"} <= actions

    def test_bar_30_buffers_are_32_kib_everywhere(self, proxies: dict[str, dict[str, Any]]) -> None:
        for bootstrap in proxies.values():
            parts = [*listeners(bootstrap).values(), *clusters(bootstrap).values()]
            assert {part["per_connection_buffer_limit_bytes"] for part in parts} == {32768}

    def test_bar_30_client_address_is_the_remote_address(
        self, edge_listener: dict[str, Any]
    ) -> None:
        assert manager(edge_listener)["use_remote_address"] is True
        assert manager(edge_listener)["xff_num_trusted_hops"] == 0

    def test_bar_30_headers_with_underscores_are_rejected(
        self, edge_listener: dict[str, Any]
    ) -> None:
        options = manager(edge_listener)["common_http_protocol_options"]
        assert options["headers_with_underscores_action"] == "REJECT_REQUEST"

    def test_bar_30_http2_has_100_streams_and_bounded_windows(
        self, edge_listener: dict[str, Any]
    ) -> None:
        assert manager(edge_listener)["http2_protocol_options"] == {
            "max_concurrent_streams": 100,
            "initial_stream_window_size": 65536,
            "initial_connection_window_size": 1048576,
        }

    def test_bar_30_paths_are_normalized_in_every_proxy(
        self, proxies: dict[str, dict[str, Any]]
    ) -> None:
        for bootstrap in proxies.values():
            for listener in listeners(bootstrap).values():
                assert manager(listener)["normalize_path"] is True
                assert manager(listener)["merge_slashes"] is True
                action = manager(listener)["path_with_escaped_slashes_action"]
                assert action == "REJECT_REQUEST"

    def test_bar_30_every_time_out_is_set(self, edge_listener: dict[str, Any]) -> None:
        content = manager(edge_listener)
        assert content["common_http_protocol_options"]["idle_timeout"] == "60s"
        assert content["stream_idle_timeout"] == "30s"
        assert content["request_timeout"] == "30s"
        assert content["request_headers_timeout"] == "5s"

    def test_bar_30_every_forwarded_route_has_a_time_out(
        self, proxies: dict[str, dict[str, Any]]
    ) -> None:
        for bootstrap in proxies.values():
            for listener in listeners(bootstrap).values():
                for route in routes(listener):
                    if "route" in route:
                        # Who sends a request round to itself waits a little longer.
                        most = 16 if route["route"]["cluster"] == "gateway.traced" else 15
                        assert 0 < float(route["route"]["timeout"].rstrip("s")) <= most

    def test_bar_30_connections_are_limited_per_listener(
        self, gateway: dict[str, Any], policy: Policy
    ) -> None:
        layer = gateway["layered_runtime"]["layers"][0]["static_layer"]
        for name in ("http", "https"):
            key = f"envoy.resource_limits.listener.{name}.connection_limit"
            assert layer[key] == policy.edge.max_connections

    def test_bar_30_the_way_round_for_traces_is_a_private_socket_that_takes_no_clients_place(
        self, gateway: dict[str, Any]
    ) -> None:
        private = listeners(gateway)["traced"]
        assert private["address"]["pipe"]["mode"] == 0o600
        assert private["ignore_global_conn_limit"] is True
        assert [one for one in listeners(gateway) if one != "traced"] == ["http", "https"]

    def test_bar_30_no_second_process_shares_a_port(
        self, proxies: dict[str, dict[str, Any]]
    ) -> None:
        for bootstrap in proxies.values():
            for listener in listeners(bootstrap).values():
                if "socket_address" in listener["address"]:
                    assert listener["enable_reuse_port"] is False
                    assert listener["address"]["socket_address"]["address"] == "127.0.0.1"


def retried(bootstrap: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for listener in listeners(bootstrap).values():
        for route in routes(listener):
            if "retry_policy" in route.get("route", {}):
                yield route


def methods_of(route: dict[str, Any]) -> set[str]:
    for header in route["match"].get("headers", []):
        if header["name"] == ":method":
            matcher = header["string_match"]
            return set((matcher.get("exact") or matcher["safe_regex"]["regex"]).split("|"))
    return set()


def test_bar_25_retries_are_at_most_a_fifth_of_the_requests_received(
    proxies: dict[str, dict[str, Any]],
) -> None:
    for bootstrap in proxies.values():
        for name, cluster in services(bootstrap).items():
            threshold = cluster["circuit_breakers"]["thresholds"][0]
            if name == "app":
                assert threshold["max_retries"] == 0
            else:
                share = threshold["retry_budget"]["budget_percent"]["value"] / 100
                assert share / (1 - share) == pytest.approx(0.2, abs=0.001)


def test_bar_25_only_requests_that_no_app_saw_are_retried(
    proxies: dict[str, dict[str, Any]],
) -> None:
    for bootstrap in proxies.values():
        for route in retried(bootstrap):
            conditions = set(route["route"]["retry_policy"]["retry_on"].split(","))
            assert conditions == {
                "connect-failure",
                "refused-stream",
                "reset-before-request",
                "retriable-headers",
            }


def test_bar_26_writing_requests_are_retried_only_with_an_idempotency_key(
    proxies: dict[str, dict[str, Any]],
) -> None:
    assert list(retried(proxies["gateway"]))
    for bootstrap in proxies.values():
        for route in retried(bootstrap):
            if not methods_of(route) <= {"GET", "HEAD"}:
                names = {header["name"] for header in route["match"]["headers"]}
                assert "idempotency-key" in names


def test_bar_26_no_call_between_services_is_retried_unless_it_reads(
    sidecars: dict[str, dict[str, Any]],
) -> None:
    egress = listeners(sidecars["alpha"])["egress"]
    calls = [route for route in routes(egress) if "route" in route]
    assert [methods_of(route) for route in calls] == [{"POST"}, {"POST"}]
    for call in calls:
        assert "retry_policy" not in call["route"]


def test_bar_24_instances_are_ejected_after_5_failures_for_30_seconds(
    gateway: dict[str, Any],
) -> None:
    for cluster in services(gateway).values():
        outlier = cluster["outlier_detection"]
        assert outlier["consecutive_5xx"] == 5
        assert outlier["base_ejection_time"] == outlier["max_ejection_time"] == "30s"


def test_bar_36_bodies_are_limited_to_one_mebibyte(edge_listener: dict[str, Any]) -> None:
    buffers = [
        one["typed_config"]["max_request_bytes"]
        for one in manager(edge_listener)["http_filters"]
        if one["name"].endswith(".buffer")
    ]
    assert buffers == [1048576]


def test_bar_37_every_mesh_port_demands_a_declared_identity_over_tls_1_3(
    catalog: Catalog, sidecars: dict[str, dict[str, Any]]
) -> None:
    for service, bootstrap in sidecars.items():
        chains = listeners(bootstrap)["inbound"]["filter_chains"]
        expected = [
            f"spiffe://titanium.local/ns/titanium/sa/{name}" for name in catalog.callers(service)
        ]
        assert len(chains) == 2
        for chain in chains:
            tls = chain["transport_socket"]["typed_config"]
            assert tls["require_client_certificate"] is True
            context = tls["common_tls_context"]
            assert context["tls_params"]["tls_minimum_protocol_version"] == "TLSv1_3"
            validation = context["combined_validation_context"]["default_validation_context"]
            names = [one["matcher"]["exact"] for one in validation["match_typed_subject_alt_names"]]
            assert names == expected


def test_bar_37_callers_accept_exactly_the_callee_they_meant(gateway: dict[str, Any]) -> None:
    for name, cluster in services(gateway).items():
        context = cluster["transport_socket"]["typed_config"]["common_tls_context"]
        validation = context["combined_validation_context"]["default_validation_context"]
        names = [one["matcher"]["exact"] for one in validation["match_typed_subject_alt_names"]]
        assert names == [f"spiffe://titanium.local/ns/titanium/sa/{name}"]


def test_bar_38_the_access_rules_are_exactly_the_catalog(
    catalog: Catalog, sidecars: dict[str, dict[str, Any]]
) -> None:
    for service, bootstrap in sidecars.items():
        inbound = listeners(bootstrap)["inbound"]
        assert filters(inbound) == ["rbac", "fault", "router"]
        rules = manager(inbound)["http_filters"][0]["typed_config"]["rules"]
        assert rules["action"] == "ALLOW"
        assert set(rules["policies"]) == set(catalog.callers(service))
        for caller, rule in rules["policies"].items():
            text = json.dumps(rule["permissions"])
            for permission in catalog.allowed(caller, service):
                assert json.dumps(permission.match.path) in text
                assert json.dumps(permission.method) in text


def test_bar_34_forwarded_headers_are_believed_behind_a_load_balancer_only(
    gateway: dict[str, Any],
) -> None:
    extension = manager(listeners(gateway)["http"])["early_header_mutation_extensions"][0]
    text = json.dumps(extension)
    for prefix in ("x-forwarded-", "x-envoy-", "x-user", "x-titanium-"):
        assert f'"{prefix}"' in text


def test_bar_55_hsts_is_sent_over_https_only(gateway: dict[str, Any]) -> None:
    found = listeners(gateway)
    assert "strict-transport-security" in json.dumps(found["https"])
    assert "strict-transport-security" not in json.dumps(found["http"])


def test_the_benchmark_route_exists_only_for_the_benchmark(
    gateway: dict[str, Any], bench_gateway: dict[str, Any]
) -> None:
    assert "/__limit" in json.dumps(bench_gateway)
    assert "/__limit" not in json.dumps(gateway)


def test_more_specific_paths_come_first(gateway: dict[str, Any]) -> None:
    paths = [
        route["match"].get("path") or route["match"].get("path_separated_prefix")
        for route in routes(listeners(gateway)["http"])
    ]
    assert paths.index("/api/things/mine") < paths.index("/api/things")
    assert paths.index("/blog/api/things/mine") < paths.index("/blog/api/things")


def test_methods_of_a_prefix_still_work_on_a_more_specific_exact_path(
    gateway: dict[str, Any],
) -> None:
    allowed = {
        route["match"]["path"]: route["response_headers_to_add"][0]["header"]["value"]
        for route in routes(listeners(gateway)["http"])
        if route.get("direct_response", {}).get("status") == 405 and "path" in route["match"]
    }
    assert allowed["/api/things/mine"] == "GET, HEAD, POST, PUT"
    assert allowed["/.well-known/keys.json"] == "GET"


def test_sidecars_log_denials_and_failures_only(sidecars: dict[str, dict[str, Any]]) -> None:
    for bootstrap in sidecars.values():
        for listener in listeners(bootstrap).values():
            (log,) = manager(listener)["access_log"]
            assert len(log["filter"]["or_filter"]["filters"]) == 2


def test_behind_a_load_balancer_its_forwarded_headers_are_kept(
    catalog: Catalog, policy: Policy, edge: Edge
) -> None:
    bounds = policy.edge.model_copy(update={"xff_num_trusted_hops": 1})
    trusting = policy.model_copy(update={"edge": bounds})
    gateway = render_gateway(catalog, trusting, edge, local_gateway(HOME, PORTS))
    content = manager(listeners(gateway)["http"])
    assert content["xff_num_trusted_hops"] == 1
    assert '"x-forwarded-"' not in json.dumps(content["early_header_mutation_extensions"])
    assert '"x-user"' in json.dumps(content["early_header_mutation_extensions"])


def test_without_origins_there_is_no_cors_at_all(
    catalog: Catalog, policy: Policy, edge: Edge
) -> None:
    closed = edge.model_copy(
        update={
            "cors": edge.cors.model_copy(update={"allow_origins": ()}),
            "tls": edge.tls.model_copy(update={"minimum_version": "1.3"}),
        }
    )
    gateway = render_gateway(catalog, policy, closed, local_gateway(HOME, PORTS))
    for listener in listeners(gateway).values():
        assert "cors" not in filters(listener)
        assert routes(listener)
        assert "OPTIONS" not in json.dumps(routes(listener))
    assert "cipher_suites" not in json.dumps(listeners(gateway)["https"])
