"""What Envoy's "configuring Envoy as an edge proxy" asks for, in one place."""

from __future__ import annotations

from pathlib import Path

from titanium.mesh.policy import EdgeBounds, Policy
from titanium.mesh.render.clusters import BUFFER_BYTES, http2
from titanium.mesh.render.parts import Json, pipe, seconds, typed

HANDSHAKE_TIMEOUT = "5s"
_HTTP_MANAGER = "envoy.filters.network.http_connection_manager"


def admin(socket: Path) -> Json:
    """The admin interface: on a Unix socket of its owner's, on no port."""
    return {"address": pipe(socket), "ignore_global_conn_limit": True}


def overload_manager(bounds: EdgeBounds) -> Json:
    """Shed load before memory or connections run out."""

    def monitor(name: str, message: str, content: Json) -> Json:
        config = typed(f"extensions.resource_monitors.{message}", content)
        return {"name": f"envoy.resource_monitors.{name}", "typed_config": config}

    def above(action: str, share: float) -> Json:
        trigger = {"name": "envoy.resource_monitors.fixed_heap", "threshold": {"value": share}}
        return {"name": f"envoy.overload_actions.{action}", "triggers": [trigger]}

    return {
        "refresh_interval": "0.25s",
        "resource_monitors": [
            monitor(
                "fixed_heap",
                "fixed_heap.v3.FixedHeapConfig",
                {"max_heap_size_bytes": bounds.max_heap_bytes},
            ),
            monitor(
                "global_downstream_max_connections",
                "downstream_connections.v3.DownstreamConnectionsConfig",
                {"max_active_downstream_connections": bounds.max_connections},
            ),
        ],
        "actions": [
            above("disable_http_keepalive", 0.92),
            above("shrink_heap", 0.95),
            above("stop_accepting_requests", 0.98),
        ],
    }


def runtime(listeners: dict[str, int], more: Json) -> Json:
    """Most connections per listener, by listener name; chunks framed to the letter; and `more`.

    What the admin interface sets (`/runtime_modify`) goes before it.
    """
    settings: Json = {
        f"envoy.resource_limits.listener.{name}.connection_limit": most
        for name, most in listeners.items()
    }
    settings["envoy.reloadable_features.strict_chunk_parsing"] = True
    layers: list[Json] = [{"name": "static", "static_layer": {**settings, **more}}]
    return {"layers": [*layers, {"name": "admin", "admin_layer": {}}]}


def listener(
    name: str, address: Json, *chains: Json, tls: Json | None = None, outbound: bool = False
) -> Json:
    """A listener with bounded buffers; a second process cannot share its port unnoticed.

    All `chains` share `tls`. Spans of an `outbound` one are those of a client, of others those of
    a server.
    """
    secured = {"transport_socket": tls, "transport_socket_connect_timeout": HANDSHAKE_TIMEOUT}
    content: Json = {
        "name": name,
        "address": address,
        "traffic_direction": "OUTBOUND" if outbound else "INBOUND",
        "per_connection_buffer_limit_bytes": BUFFER_BYTES,
        "filter_chains": [chain if tls is None else {**chain, **secured} for chain in chains],
    }
    if any("filter_chain_match" in chain for chain in chains):
        content["listener_filters"] = [_server_name_reader()]
        content["listener_filters_timeout"] = HANDSHAKE_TIMEOUT
    if "socket_address" in address:
        content["enable_reuse_port"] = False
    return content


def for_server_name(name: str, chain: Json) -> Json:
    """`chain` for connections that ask for `name` (SNI) only."""
    return {**chain, "name": name, "filter_chain_match": {"server_names": [name]}}


def _server_name_reader() -> Json:
    message = "extensions.filters.listener.tls_inspector.v3.TlsInspector"
    return {"name": "envoy.filters.listener.tls_inspector", "typed_config": typed(message)}


def connection_manager(stat_prefix: str, policy: Policy, content: Json) -> Json:
    """A filter chain with an HTTP connection manager; strict about paths and headers.

    Every proxy normalizes paths in the same way, so that what one checked is what the next
    one sees; `content` adds or overrides.
    """
    bounds = policy.edge
    base: Json = {
        "stat_prefix": stat_prefix,
        "codec_type": "AUTO",
        "normalize_path": True,
        "merge_slashes": True,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
        "common_http_protocol_options": {
            "idle_timeout": seconds(bounds.idle_timeout_seconds),
            "headers_with_underscores_action": "REJECT_REQUEST",
            "max_headers_count": 100,
        },
        # A body has one length: Content-Length with Transfer-Encoding is refused.
        "http_protocol_options": {"allow_chunked_length": False},
        "http2_protocol_options": http2(),
        "max_request_headers_kb": bounds.max_headers_kib,
        "stream_idle_timeout": seconds(bounds.stream_idle_timeout_seconds),
        "request_headers_timeout": seconds(bounds.header_timeout_seconds),
        "request_timeout": seconds(bounds.request_timeout_seconds),
        **content,
    }
    message = "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    return {"filters": [{"name": _HTTP_MANAGER, "typed_config": typed(message, base)}]}


def early_mutations(mutations: list[Json]) -> Json:
    """An extension that changes a request's headers before anything else reads them."""
    message = "extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"
    return {
        "name": "envoy.http.early_header_mutation.header_mutation",
        "typed_config": typed(message, {"mutations": mutations}),
    }


def router(*, counted: bool) -> Json:
    """The last filter; adds no x-envoy-* header. `counted`: keeps statistics by cluster."""
    content: Json = {"suppress_envoy_headers": True, "dynamic_stats": counted}
    config = typed("extensions.filters.http.router.v3.Router", content)
    return {"name": "envoy.filters.http.router", "typed_config": config}
