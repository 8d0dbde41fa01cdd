"""The gateway's way round for requests that are traced.

A tracer costs every request of its connection manager, also those that it leaves alone. So the
public listeners have none: they choose the few requests to be traced and send them on, with all
limits counted and all bounds checked, to a private listener of the same Envoy that has one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import ip_address

from titanium.mesh.policy import Policy
from titanium.mesh.render.clusters import BUFFER_BYTES, http2, protocol
from titanium.mesh.render.parts import Json, header, milliseconds, pipe, seconds, typed
from titanium.mesh.render.tracing import SAMPLED
from titanium.mesh.topology import GatewayTopology

# A request with this header and the console's token may be traced from anywhere.
ASK = "x-titanium-trace"
# Its copy while the other headers with our prefix are removed.
COPY = "trace-token"
# On requests that took the way round: the line in the access log is written there.
SENT_ROUND = "x-titanium-sent-round"
# The dot keeps it out of the statistics: nothing but the gateway itself is behind it.
CLUSTER = "gateway.traced"
_DRAWN = "tracing.drawn"
_PER_FILTER = "typed_per_filter_config"
_MATCHING = "extensions.matching.input_matchers"


def copy_token(policy: Policy, topology: GatewayTopology) -> list[Json]:
    """Early mutations that keep the token readable, where one counts."""
    if topology.trace_token is None or _trusts_everybody(policy, topology):
        return []
    return [{"append": header(COPY, f"%REQ({ASK})%", "ADD_IF_ABSENT")}]


def choose(
    kept: Sequence[Json], forwarded: Sequence[Json], policy: Policy, topology: GatewayTopology
) -> Json:
    """`matcher` of the public host: requests to be traced go round, others are forwarded.

    `kept` and `forwarded` are all routes in their order; who matches one of `kept` is never
    traced, nor is who gets an answer from the gateway itself.
    """
    ways: list[tuple[Json, Sequence[str]]] = []
    if asked := _asked(policy, topology):
        ways.append((asked, ()))
    if policy.tracing.sampling_percent > 0:
        # A client that may not ask does not choose the trace's name either.
        ways.append((_drawn(policy), ("traceparent",)))
    chosen = [
        {
            "predicate": predicate,
            "on_match": _routes([*kept, *_sent_round(forwarded, gone, policy)]),
        }
        for predicate, gone in ways
    ]
    plain = _routes([*kept, *map(_nameless, forwarded)])
    return {"matcher_list": {"matchers": chosen}, "on_no_match": plain} if chosen else plain


def not_sent_round() -> Json:
    """A filter of the public access log: requests that no other line tells of."""
    here = {"header_filter": {"header": {"name": SENT_ROUND, "present_match": False}}}
    lost = {"response_flag_filter": {"flags": ["UF", "UH", "UO"]}}
    return {"or_filter": {"filters": [here, lost]}}


def traced_address(topology: GatewayTopology) -> Json:
    """Where the private listener is."""
    if topology.traced_socket is None:
        raise ValueError("traced_socket: needed for traces")
    return pipe(topology.traced_socket)


def round_cluster(policy: Policy, topology: GatewayTopology) -> Json:
    """The way from the public listeners to the private one, in the client's own protocol."""
    most = policy.breakers.requests * 4
    threshold = {
        "max_connections": most,
        "max_pending_requests": most,
        "max_requests": most,
        "max_retries": 0,
    }
    address = {"pipe": {"path": traced_address(topology)["pipe"]["path"]}}
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
    kinds = {
        "use_downstream_protocol_config": {
            "http_protocol_options": {},
            "http2_protocol_options": http2(),
        }
    }
    return {
        "name": CLUSTER,
        "type": "STATIC",
        "connect_timeout": milliseconds(policy.timeouts.connect_ms),
        "per_connection_buffer_limit_bytes": BUFFER_BYTES,
        "load_assignment": {"cluster_name": CLUSTER, "endpoints": endpoints},
        "circuit_breakers": {"thresholds": [threshold]},
        "typed_extension_protocol_options": protocol(kinds, policy.timeouts.idle_seconds),
    }


def _trusts_everybody(policy: Policy, topology: GatewayTopology) -> bool:
    """Whether all clients are on this machine, and nobody stands in front of them."""
    return ip_address(topology.bind).is_loopback and policy.edge.xff_num_trusted_hops == 0


def _asked(policy: Policy, topology: GatewayTopology) -> Json | None:
    token = topology.trace_token
    if token is not None and not re.fullmatch(r"[A-Za-z0-9_-]{16,}", token):
        raise ValueError("trace_token: at least 16 letters, digits, - and _")
    regex = {"google_re2": {}, "regex": SAMPLED}
    sampled = _header_is("traceparent", {"safe_regex": regex})
    if _trusts_everybody(policy, topology):
        return sampled
    if token is None:
        return None
    return {"and_matcher": {"predicate": [sampled, _header_is(COPY, {"exact": token})]}}


def _drawn(policy: Policy) -> Json:
    """A share of the request ids, which are random and the gateway's own."""
    share = {
        "numerator": round(policy.tracing.sampling_percent * 10_000),
        "denominator": "MILLION",
    }
    fraction = {"runtime_fraction": {"default_value": share, "runtime_key": _DRAWN}}
    custom = typed(f"{_MATCHING}.runtime_fraction.v3.RuntimeFraction", fraction)
    return {
        "single_predicate": {
            "input": _header_input("x-request-id"),
            "custom_match": {"name": "drawn", "typed_config": custom},
        }
    }


def _header_is(name: str, value: Json) -> Json:
    return {"single_predicate": {"input": _header_input(name), "value_match": value}}


def _header_input(name: str) -> Json:
    message = "type.matcher.v3.HttpRequestHeaderMatchInput"
    return {"name": name, "typed_config": typed(message, {"header_name": name})}


def _routes(routes: Sequence[Json]) -> Json:
    message = typed("config.route.v3.RouteList", {"routes": list(routes)})
    return {"action": {"name": "routes", "typed_config": message}}


def _nameless(route: Json) -> Json:
    if "route" not in route:
        return route
    return {**route, "request_headers_to_remove": ["traceparent"]}


def _sent_round(routes: Sequence[Json], gone: Sequence[str], policy: Policy) -> list[Json]:
    """The same classes of limits; time-outs, retries and rewrites are for the other side."""
    action = {"cluster": CLUSTER, "timeout": seconds(policy.timeouts.request_seconds + 1)}
    streamed = typed("extensions.filters.http.buffer.v3.BufferPerRoute", {"disabled": True})
    common: Json = {
        "route": action,
        "request_headers_to_add": [header(SENT_ROUND, "1")],
        **({"request_headers_to_remove": list(gone)} if gone else {}),
    }

    def sent(route: Json) -> Json:
        per_filter = {**route.get(_PER_FILTER, {}), "envoy.filters.http.buffer": streamed}
        return {**route, **common, _PER_FILTER: per_filter}

    return [sent(route) if "route" in route else route for route in routes]
