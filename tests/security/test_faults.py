"""Faults injected into a service's sidecar, and the figures that proxies keep."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from titanium.layout import GATEWAY
from titanium.supervise.protocol import FaultRequest

from .harness import MEMBERS, Mesh, Reply, inject

pytestmark = pytest.mark.e2e


@pytest.fixture
def faulty(mesh: Mesh) -> Iterator[Mesh]:
    """The shared mesh, whole again afterwards."""
    yield mesh
    inject(mesh, None)


def timed(mesh: Mesh, path: str = "/api/posts") -> tuple[float, Reply]:
    began = time.monotonic()
    reply = mesh.request("GET", path)
    return time.monotonic() - began, reply


def test_a_delay_is_felt_until_it_ends_and_by_this_service_only(faulty: Mesh) -> None:
    inject(faulty, FaultRequest(delay_ms=500))
    seconds, reply = timed(faulty)
    assert reply.status == 200
    assert seconds >= 0.5
    assert timed(faulty, "/api/users/me")[0] < 0.5
    inject(faulty, None)
    assert timed(faulty)[0] < 0.5


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_failure_is_a_problem_that_the_application_never_saw(faulty: Mesh, status: int) -> None:
    inject(faulty, FaultRequest(abort_status=status))
    reply = faulty.request("GET", "/api/posts")
    assert reply.status == status
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json.keys() == MEMBERS
    assert faulty.apps["blog-0"].seen == []
    inject(faulty, None)
    assert faulty.request("GET", "/api/posts").status == 200


def test_a_new_fault_replaces_the_one_before(faulty: Mesh) -> None:
    inject(faulty, FaultRequest(delay_ms=2000, abort_status=503))
    inject(faulty, FaultRequest(abort_status=500))
    seconds, reply = timed(faulty)
    assert reply.status == 500
    assert seconds < 2


def test_a_caller_without_permission_learns_nothing_of_a_fault(faulty: Mesh) -> None:
    inject(faulty, FaultRequest(abort_status=503))
    assert faulty.egress("user-0", "blog.titanium.internal", "GET", "/api/posts").status == 403


def test_proxies_expose_what_dashboards_read_in_few_bytes(mesh: Mesh) -> None:
    assert mesh.request("GET", "/api/posts").status == 200
    gateway = mesh.admin(GATEWAY, "/stats/prometheus?usedonly").body
    sidecar = mesh.admin("blog-0", "/stats/prometheus?usedonly").body
    assert max(len(gateway), len(sidecar)) < 60_000
    for name in (
        'envoy_response_code_class="2",envoy_http_conn_manager_prefix="gateway_http"} ',
        'envoy_cluster_upstream_rq_xx{envoy_response_code_class="2",envoy_cluster_name="blog"}',
        'envoy_cluster_ssl_handshake{envoy_cluster_name="blog"}',
        'envoy_cluster_membership_healthy{envoy_cluster_name="blog"}',
        'envoy_http_local_rate_limit_ok{envoy_local_http_ratelimit_prefix="limit"}',
    ):
        assert name in gateway.decode()
    for name in (
        'envoy_response_code_class="2",envoy_http_conn_manager_prefix="inbound"} ',
        'envoy_http_rbac_allowed{envoy_http_conn_manager_prefix="inbound"}',
    ):
        assert name in sidecar.decode()
    # The listener has counted it already.
    again = 'envoy_cluster_upstream_rq_xx{envoy_response_code_class="2",envoy_cluster_name="app"}'
    assert again not in sidecar.decode()
