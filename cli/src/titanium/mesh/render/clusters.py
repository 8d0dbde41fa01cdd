"""Upstreams: the services as other proxies reach them, and the app behind its own sidecar."""

from __future__ import annotations

from pathlib import Path

from titanium.mesh.policy import Policy
from titanium.mesh.render.parts import Json, milliseconds, seconds, tcp, typed, watched_file
from titanium.mesh.render.tls import mesh_client
from titanium.mesh.topology import APP_PORT, MeshFiles

APP = "app"
BUFFER_BYTES = 32 * 1024
STREAM_WINDOW_BYTES = 64 * 1024
CONNECTION_WINDOW_BYTES = 1024 * 1024
_HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def mesh_cluster(service: str, policy: Policy, mesh: MeshFiles) -> Json:
    """A service behind its sidecars: mutual TLS, HTTP/2, instances from a watched file."""
    return {
        **_service_cluster(service, policy),
        "type": "EDS",
        "eds_cluster_config": {"eds_config": watched_file(mesh.endpoints / f"{service}.json")},
        "transport_socket": mesh_client(mesh, service),
        "typed_extension_protocol_options": protocol(
            {"explicit_http_config": {"http2_protocol_options": http2()}},
            policy.timeouts.idle_seconds,
        ),
    }


def dns_cluster(service: str, policy: Policy) -> Json:
    """A service in a cluster, by its DNS name; the cluster's own mesh encrypts."""
    endpoint = {"endpoint": {"address": tcp(service, APP_PORT)}}
    return {
        **_service_cluster(service, policy),
        "type": "STRICT_DNS",
        "dns_lookup_family": "V4_PREFERRED",
        "load_assignment": {
            "cluster_name": service,
            "endpoints": [{"lb_endpoints": [endpoint]}],
        },
        "typed_extension_protocol_options": protocol(
            {"explicit_http_config": {"http_protocol_options": {}}}, policy.timeouts.idle_seconds
        ),
    }


def app_cluster(socket: Path, policy: Policy) -> Json:
    """The app on its Unix socket, over kept-alive HTTP/1.1 connections."""
    endpoint = {"endpoint": {"address": {"pipe": {"path": str(socket)}}}}
    threshold = {
        "max_connections": policy.breakers.app_connections,
        "max_pending_requests": policy.breakers.app_pending,
        "max_requests": policy.breakers.app_connections + policy.breakers.app_pending,
        "max_retries": 0,
    }
    return {
        "name": APP,
        "type": "STATIC",
        "connect_timeout": milliseconds(policy.timeouts.connect_ms),
        "per_connection_buffer_limit_bytes": BUFFER_BYTES,
        "load_assignment": {"cluster_name": APP, "endpoints": [{"lb_endpoints": [endpoint]}]},
        "circuit_breakers": {"thresholds": [threshold]},
        "typed_extension_protocol_options": protocol(
            {"explicit_http_config": {"http_protocol_options": {}}}, policy.timeouts.idle_seconds
        ),
    }


def http2() -> Json:
    """Bounds of every HTTP/2 connection, upstream and downstream."""
    return {
        "max_concurrent_streams": 100,
        "initial_stream_window_size": STREAM_WINDOW_BYTES,
        "initial_connection_window_size": CONNECTION_WINDOW_BYTES,
    }


def _service_cluster(service: str, policy: Policy) -> Json:
    outlier = policy.outlier
    retries = policy.retries
    threshold = {
        "max_connections": policy.breakers.requests,
        "max_pending_requests": policy.breakers.requests,
        "max_requests": policy.breakers.requests,
        "retry_budget": {
            "budget_percent": {"value": round(retries.share_of_active, 2)},
            "min_retry_concurrency": retries.minimum_concurrency,
        },
    }
    return {
        "name": service,
        "connect_timeout": milliseconds(policy.timeouts.connect_ms),
        "per_connection_buffer_limit_bytes": BUFFER_BYTES,
        "lb_policy": "LEAST_REQUEST",
        # An ejection counts at once, not after the second in which Envoy would gather changes.
        "common_lb_config": {"update_merge_window": "0s"},
        "circuit_breakers": {"thresholds": [threshold]},
        "outlier_detection": {
            "consecutive_5xx": outlier.consecutive_5xx,
            "enforcing_consecutive_5xx": 100,
            "interval": milliseconds(outlier.interval_ms),
            "base_ejection_time": seconds(outlier.ejection_seconds),
            # Every ejection lasts the same: the time does not grow with each one.
            "max_ejection_time": seconds(outlier.ejection_seconds),
            "max_ejection_percent": outlier.max_ejection_percent,
            # Only runs of failures eject; differences in success rate between two or three
            # instances under light load are noise.
            "enforcing_success_rate": 0,
            "enforcing_failure_percentage": 0,
            "enforcing_consecutive_gateway_failure": 0,
        },
    }


def protocol(kinds: Json, idle_seconds: int) -> Json:
    """`typed_extension_protocol_options`; `kinds` are the protocols to speak."""
    content: Json = {
        **kinds,
        "common_http_protocol_options": {"idle_timeout": seconds(idle_seconds)},
    }
    return {_HTTP_OPTIONS: typed("extensions.upstreams.http.v3.HttpProtocolOptions", content)}
