"""Spans of the proxies, and whose wish to be traced counts.

The gateway begins every trace: it keeps some at random, and those that somebody who may do so
asks for. A sidecar only follows what the request already says.
"""

from __future__ import annotations

import re
from pathlib import Path

from titanium.mesh.policy import Policy
from titanium.mesh.render.clusters import BUFFER_BYTES
from titanium.mesh.render.parts import Json, header, typed

OTLP = "otlp"
# No valid `traceparent`: the proxies make no span then, which a flag that says "not sampled" would
# not spare them, and applications ignore it.
UNTRACED = "0"
# A request with this header and the console's token may be traced from anywhere.
ASK = "x-titanium-trace"
_CHOICE, _DRAW = "x-titanium-chosen-trace", "x-titanium-drawn"
_PATH = "%PATH(NQ:ORIG_OR_PATH)%"
_OPENTELEMETRY = "extensions.tracers.opentelemetry"
_RESOURCE = "envoy.tracers.opentelemetry.resource_detectors.static_config"


def tracing(service: str, instance: str) -> Json:
    """`tracing` of a connection manager: a span of each request without UNTRACED."""
    attributes = {"service.instance.id": instance}
    resource = {"name": _RESOURCE, "typed_config": _static_resource(attributes)}
    config = {
        "http_service": {
            "http_uri": {"uri": f"http://{OTLP}/v1/traces", "cluster": OTLP, "timeout": "1s"}
        },
        "service_name": service,
        "resource_detectors": [resource],
    }
    return {
        # The header has decided already. A client's own wish (x-client-trace-id) never counts.
        "client_sampling": {"value": 0},
        "random_sampling": {"value": 100},
        "overall_sampling": {"value": 100},
        "operation": f"%REQ(:METHOD)% {_PATH}",
        # Envoy's own value has the query, which is nobody's business.
        "custom_tags": [{"tag": "http.url", "value": _PATH}],
        "provider": {
            "name": "envoy.tracers.opentelemetry",
            "typed_config": typed("config.trace.v3.OpenTelemetryConfig", config),
        },
    }


def untraced() -> Json:
    """`tracing` of a route of which no trace is kept, whoever asks."""
    never = {"numerator": 0, "denominator": "HUNDRED"}
    return {"client_sampling": never, "random_sampling": never}


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


def choose_traced(policy: Policy, *, trust_loopback: bool, token: str | None) -> list[Json]:
    """Early mutations of the gateway that leave each request with the `traceparent` it shall have.

    The client's own when it may ask for a trace; none, so that a trace begins, for the drawn
    share; and UNTRACED for all others. Whatever else the client sent is gone: a mutation that
    overwrites a header with nothing would leave it as it was, so the choice is made aside, in a
    header that is cleared before and whose prefix is removed afterwards with all others of ours.
    """
    trusted = []
    if trust_loopback:
        trusted += ["source.address.startsWith('127.')", "source.address.startsWith('[::1]')"]
    if token:
        if not re.fullmatch(r"[A-Za-z0-9_-]{16,}", token):  # it becomes part of an expression
            raise ValueError("trace_token: at least 16 letters, digits, - and _")
        trusted.append(f"('{ASK}' in request.headers && request.headers['{ASK}'] == '{token}')")
    asked = f"'traceparent' in request.headers && ({' || '.join(trusted) or 'false'})"
    # The first four of the digits of a random id, against the share as a hexadecimal fraction.
    share = round(policy.tracing.sampling_percent / 100 * 0x10000)
    drawn = f"request.headers['{_DRAW}'] < '{share:04x}'" if share < 0x10000 else "true"
    choice = f"{asked} ? request.headers['traceparent'] : {drawn} ? '' : '{UNTRACED}'"
    return [
        {"append": header(_DRAW, "%UNIQUE_ID%")},
        {"remove": _CHOICE},
        {"append": header(_CHOICE, f"%CEL({choice})%")},
        {"remove": "traceparent"},
        {"remove": "tracestate"},
        {"append": header("traceparent", f"%REQ({_CHOICE})%")},
    ]


def follow_only() -> list[Json]:
    """Early mutations of a sidecar: a request without `traceparent` begins no trace."""
    return [{"append": header("traceparent", UNTRACED, "ADD_IF_ABSENT")}]


def _static_resource(attributes: Json) -> Json:
    name = "resource_detectors.v3.StaticConfigResourceDetectorConfig"
    return typed(f"{_OPENTELEMETRY}.{name}", {"attributes": attributes})
