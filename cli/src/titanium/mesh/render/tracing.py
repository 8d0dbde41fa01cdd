"""Spans of the proxies.

The gateway begins every trace (`traced.py`). A sidecar only follows what the request already says.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from titanium.mesh.render.clusters import BUFFER_BYTES
from titanium.mesh.render.parts import Json, header, http_filter, typed
from titanium.mesh.topology import EGRESS_DOMAIN

OTLP = "otlp"
# A `traceparent` with the flag that asks for spans. The tracer itself counts the digits: Envoy
# allows no expression that does.
SAMPLED = "00-[0-9a-f]+-[0-9a-f]+-[0-9a-f][13579bdf]"
# No valid `traceparent`: a tracer makes no span then, which a flag that says "not sampled" would
# not spare it.
_UNTRACED = "0"
# Connections that ask for it reach a sidecar's chain with a tracer. Not a service's name.
TRACED_SERVER_NAME = f"traced.{EGRESS_DOMAIN}"
_SET_FILTER_STATE = "envoy.filters.http.set_filter_state"
_PATH = "%PATH(NQ:ORIG_OR_PATH)%"
_OPENTELEMETRY = "extensions.tracers.opentelemetry"
_RESOURCE = "envoy.tracers.opentelemetry.resource_detectors.static_config"


def tracing(service: str, instance: str, more: Mapping[str, str] | None = None) -> Json:
    """What makes a connection manager trace: a span of each request, as its `traceparent` says.

    Envoy would draw by the request's id, and write its choice into it. `more` are tags.
    """
    attributes = {"service.instance.id": instance}
    resource = {"name": _RESOURCE, "typed_config": _static_resource(attributes)}
    config = {
        "http_service": {
            "http_uri": {"uri": f"http://{OTLP}/v1/traces", "cluster": OTLP, "timeout": "1s"}
        },
        "service_name": service,
        "resource_detectors": [resource],
    }
    # Envoy's own value has the query, which is nobody's business.
    tags = {"http.url": _PATH, **(more or {})}
    content = {
        "operation": f"%REQ(:METHOD)% {_PATH}",
        "custom_tags": [{"tag": name, "value": value} for name, value in tags.items()],
        "provider": {
            "name": "envoy.tracers.opentelemetry",
            "typed_config": typed("config.trace.v3.OpenTelemetryConfig", config),
        },
    }
    untouched = {"pack_trace_reason": False, "use_request_id_for_trace_sampling": False}
    message = "extensions.request_id.uuid.v3.UuidRequestIdConfig"
    return {
        "tracing": content,
        "request_id_extension": {"typed_config": typed(message, untouched)},
    }


def otlp_clusters(socket: Path | None) -> list[Json]:
    """Where spans go; nobody waits for it, and without a listener they are dropped."""
    if socket is None:
        return []
    endpoint = {"endpoint": {"address": {"pipe": {"path": str(socket)}}}}
    cluster = {
        "name": OTLP,
        "type": "STATIC",
        "connect_timeout": "0.5s",
        "per_connection_buffer_limit_bytes": BUFFER_BYTES,
        "load_assignment": {"cluster_name": OTLP, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }
    return [cluster]


def tracing_runtime(socket: Path | None) -> Json:
    """Runtime settings: spans leave within a second, in few packets."""
    if socket is None:
        return {}
    return {
        "tracing.opentelemetry.flush_interval_ms": 1000,
        "tracing.opentelemetry.min_flush_spans": 32,
    }


def to_tracer() -> Json:
    """A filter that sends requests on by connections to the sidecars' chains with a tracer.

    Connections with another server name are in a pool of their own of the same cluster.
    """
    value = {
        "object_key": "envoy.network.upstream_server_name",
        "format_string": {"text_format_source": {"inline_string": TRACED_SERVER_NAME}},
        "shared_with_upstream": "ONCE",
    }
    content = {"on_request_headers": [value]}
    return http_filter("set_filter_state", "set_filter_state.v3.Config", content)


def traced_first(route: Json) -> list[Json]:
    """`route` twice: to the chain with a tracer for requests that belong to a trace, and for all
    others, which then name no trace."""
    match = route["match"]
    regex = {"safe_regex": {"regex": SAMPLED}}
    sampled = {"name": "traceparent", "string_match": regex}
    traced = {
        **route,
        "match": {**match, "headers": [*match["headers"], sampled]},
        "typed_per_filter_config": {
            _SET_FILTER_STATE: typed(
                "config.route.v3.FilterConfig", {"config": to_tracer()["typed_config"]}
            )
        },
    }
    return [traced, {**route, "request_headers_to_remove": ["traceparent", "tracestate"]}]


def follow_only() -> list[Json]:
    """Early mutations of a sidecar: a request without `traceparent` begins no trace."""
    return [{"append": header("traceparent", _UNTRACED, "ADD_IF_ABSENT")}]


def _static_resource(attributes: Json) -> Json:
    name = "resource_detectors.v3.StaticConfigResourceDetectorConfig"
    return typed(f"{_OPENTELEMETRY}.{name}", {"attributes": attributes})
