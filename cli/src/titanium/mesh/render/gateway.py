"""The gateway's bootstrap: the edge of the platform."""

from __future__ import annotations

from pathlib import Path

from titanium.catalog import Catalog, Match
from titanium.layout import GATEWAY
from titanium.mesh.edge import Edge
from titanium.mesh.policy import Policy
from titanium.mesh.render.access_log import CLIENT, edge_log
from titanium.mesh.render.clusters import dns_cluster, mesh_cluster
from titanium.mesh.render.compression import compressors
from titanium.mesh.render.hardening import (
    admin,
    connection_manager,
    early_mutations,
    listener,
    overload_manager,
    router,
    runtime,
)
from titanium.mesh.render.limits import PLACEHOLDER, header_mutations, limit_filter
from titanium.mesh.render.parts import Json, header, http_filter, tcp, typed
from titanium.mesh.render.problems import GATEWAY_PROBLEMS, UNDELIVERED, local_replies
from titanium.mesh.render.routes import (
    OLDER_API,
    SAFE_METHODS,
    bench_route,
    file_routes,
    is_wrong_method,
    not_found,
    older_routes,
    only_methods,
    path_match,
    preflight,
    public_routes,
    refused_paths,
)
from titanium.mesh.render.stats import stats_config
from titanium.mesh.render.tls import edge_server
from titanium.mesh.render.traced import (
    COPY,
    SENT_ROUND,
    choose,
    copy_token,
    not_sent_round,
    round_cluster,
    traced_address,
)
from titanium.mesh.render.tracing import otlp_clusters, to_tracer, tracing, tracing_runtime
from titanium.mesh.topology import GatewayTopology

# Headers by which a client could pretend to be our proxy or a user of ours.
_SPOOFABLE_PREFIXES = ("x-envoy-", "x-titanium-", "x-user", "x-auth", "x-original-", "x-rewrite-")
_SPOOFABLE_FORWARDED = ("x-forwarded-", "forwarded", "x-real-ip", "x-client-ip", "true-client-ip")
_SPOOFABLE_NAMES = (
    "x-http-method-override",
    "x-method-override",
    "x-remote-user",
    "x-client-trace-id",
)
_LARGEST_FILE_BYTES = 4 * 1024 * 1024
_READINESS_TIMEOUT_MS = 1000
_LUA = "envoy.filters.http.lua"


def render_gateway(catalog: Catalog, policy: Policy, edge: Edge, topology: GatewayTopology) -> Json:
    """Envoy v3 bootstrap of the gateway, as JSON data."""
    listeners = [_http_listener(catalog, policy, edge, topology)]
    if topology.https_port is not None and topology.server_certificate is not None:
        listeners.append(
            _https_listener(
                catalog, policy, edge, topology, topology.https_port, topology.server_certificate
            )
        )
    most = policy.edge.max_connections
    limits = {one["name"]: most for one in listeners}
    clusters = [_cluster(name, policy, topology) for name in catalog.names]
    if topology.otlp_socket is not None:
        listeners.append(_traced_listener(catalog, policy, edge, topology))
        clusters += [round_cluster(policy, topology), *otlp_clusters(topology.otlp_socket)]
    bootstrap: Json = {
        "node": {"id": GATEWAY, "cluster": GATEWAY},
        "static_resources": {
            "listeners": listeners,
            "clusters": clusters,
        },
        "overload_manager": overload_manager(policy.edge),
        "layered_runtime": runtime(limits, tracing_runtime(topology.otlp_socket)),
        "stats_config": stats_config(),
    }
    if topology.admin_socket is not None:
        bootstrap["admin"] = admin(topology.admin_socket)
    return bootstrap


def _cluster(service: str, policy: Policy, topology: GatewayTopology) -> Json:
    if topology.mesh is None:
        return dns_cluster(service, policy)
    return mesh_cluster(service, policy, topology.mesh)


def _http_listener(catalog: Catalog, policy: Policy, edge: Edge, topology: GatewayTopology) -> Json:
    chain = _chain("http", catalog, policy, edge, topology)
    return listener("http", tcp(topology.bind, topology.http_port), chain)


def _https_listener(
    catalog: Catalog,
    policy: Policy,
    edge: Edge,
    topology: GatewayTopology,
    port: int,
    certificate: Path,
) -> Json:
    hsts = header("strict-transport-security", edge.tls.hsts)
    chain = _chain("https", catalog, policy, edge, topology, hsts)
    tls = edge_server(certificate, edge.tls.minimum_version)
    return listener("https", tcp(topology.bind, port), chain, tls=tls)


def _chain(
    name: str,
    catalog: Catalog,
    policy: Policy,
    edge: Edge,
    topology: GatewayTopology,
    *extra_headers: Json,
) -> Json:
    hops = policy.edge.xff_num_trusted_hops
    kept, forwarded = _routes(catalog, policy, edge, topology)
    host = _public_host(edge, topology)
    if topology.otlp_socket is None:
        host["routes"] = [*kept, *forwarded]
    else:
        host["matcher"] = choose(kept, forwarded, policy, topology)
    wrong = [route for route in (*kept, *forwarded) if is_wrong_method(route)]
    only = not_sent_round() if topology.otlp_socket is not None else None
    content: Json = {
        "use_remote_address": True,
        "xff_num_trusted_hops": hops,
        "server_name": "titanium",
        "always_set_request_id_in_response": True,
        "early_header_mutation_extensions": [
            early_mutations(copy_token(policy, topology) + _strip_spoofed(hops))
        ],
        "access_log": [edge_log(topology.access_log, only)],
        "local_reply_config": local_replies(GATEWAY_PROBLEMS, wrong),
        "route_config": {
            "name": "public",
            "max_direct_response_body_size_bytes": _LARGEST_FILE_BYTES,
            "virtual_hosts": [host],
        },
        "http_filters": _filters(policy, edge, topology, extra_headers),
    }
    return connection_manager(f"gateway_{name}", policy, content)


def _traced_listener(
    catalog: Catalog, policy: Policy, edge: Edge, topology: GatewayTopology
) -> Json:
    """Where the public chains send requests that are traced; it only routes them.

    Who asks, from where and how often was looked at before, and what all answers carry is added
    afterwards. A log line is about the client, whose address and protocol arrive unchanged.
    """
    _, forwarded = _routes(catalog, policy, edge, topology)
    host = {
        "name": "traced",
        "domains": ["*"],
        "request_headers_to_remove": [SENT_ROUND],
        "routes": forwarded,
    }
    content: Json = {
        **tracing(GATEWAY, GATEWAY, {"peer.address": CLIENT}),
        "use_remote_address": False,
        "skip_xff_append": True,
        "server_name": "titanium",
        "access_log": [edge_log(topology.access_log)],
        "local_reply_config": local_replies(GATEWAY_PROBLEMS),
        "route_config": {"name": "traced", "virtual_hosts": [host]},
        "http_filters": [
            _body_filter(policy),
            to_tracer(),
            router(counted=topology.observability),
        ],
    }
    chain = connection_manager("gateway_traced", policy, content)
    # Clients are counted where they come in.
    return {**listener("traced", traced_address(topology), chain), "ignore_global_conn_limit": True}


def _filters(
    policy: Policy, edge: Edge, topology: GatewayTopology, extra_headers: tuple[Json, ...]
) -> list[Json]:
    """Few and cheap: every request passes all of them (the script only at /health)."""
    headers = [
        # A service's own, stricter policy wins.
        header(name, value, _keep_own(name))
        for name, value in edge.headers.items()
    ]
    mutations: list[Json] = [{"append": one} for one in (*headers, *extra_headers)]
    mutations += [*header_mutations(), {"remove": UNDELIVERED}]
    filters = [
        http_filter(
            "header_mutation",
            "header_mutation.v3.HeaderMutation",
            {"mutations": {"response_mutations": mutations}},
        ),
    ]
    if edge.cors.allow_origins:
        filters.append(http_filter("cors", "cors.v3.Cors"))
    return [
        *filters,
        *compressors(edge.compression),
        limit_filter(policy),
        {**http_filter("lua", "lua.v3.Lua"), "disabled": True},
        _body_filter(policy),
        router(counted=topology.observability),
    ]


def _body_filter(policy: Policy) -> Json:
    most = {"max_request_bytes": policy.edge.max_body_bytes}
    return http_filter("buffer", "buffer.v3.Buffer", most)


def _keep_own(name: str) -> str:
    if name == "content-security-policy":
        return "ADD_IF_ABSENT"
    return "OVERWRITE_IF_EXISTS_OR_ADD"


def _routes(
    catalog: Catalog, policy: Policy, edge: Edge, topology: GatewayTopology
) -> tuple[list[Json], list[Json]]:
    """All public routes in their order: first those of the gateway's own, then the services'."""
    own = [
        *_front_page(policy),
        *only_methods(
            Match("/health", exact=True), SAFE_METHODS, _health(catalog, topology), policy
        ),
        *file_routes("/api/openapi.json", topology.openapi_json, "application/json", policy),
        *file_routes(
            "/api/docs",
            topology.docs_html,
            "text/html; charset=utf-8",
            policy,
            _docs_policy(topology.docs_style),
            compress=True,
        ),
    ]
    bench = [bench_route(topology.bench, policy)] if topology.bench else []
    origins = edge.cors.allow_origins
    preflights = [preflight(origins, catalog.names[0], policy)] if origins else []
    forwarded = [
        *bench,
        *older_routes(catalog, policy),
        # `/blog/api` must not fall through to the pages under `/blog`.
        not_found(path_match(Match(OLDER_API, exact=False)), policy),
        *public_routes(catalog, policy),
        not_found({"prefix": "/"}, policy),
    ]
    return [refused_paths(policy), *preflights, *own], forwarded


def _public_host(edge: Edge, topology: GatewayTopology) -> Json:
    """The host without its routes."""
    origins = edge.cors.allow_origins
    host: Json = {
        "name": "public",
        "domains": ["*"],
        # Apps get exactly one address, the client's, whatever the client claimed.
        "request_headers_to_add": [
            header("x-forwarded-for", "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%")
        ],
        "request_headers_to_remove": ["x-envoy-external-address", *_foreign_headers(topology)],
        # An answer differs by Origin when some origins may read it: caches have to know.
        "response_headers_to_add": [
            PLACEHOLDER,
            *([header("vary", "origin", "APPEND_IF_EXISTS_OR_ADD")] if origins else []),
        ],
    }
    if origins:
        host["typed_per_filter_config"] = {"envoy.filters.http.cors": _cors(edge)}
    return host


def _docs_policy(style: str) -> list[Json]:
    """The reference page brings its style with it, named by hash, and nothing else."""
    if not style:
        return []
    rules = f"default-src 'none'; style-src {style}; frame-ancestors 'none'; base-uri 'none'"
    return [header("content-security-policy", rules)]


def _front_page(policy: Policy) -> list[Json]:
    answer = {
        "direct_response": {"status": 307},
        "response_headers_to_add": [header("location", "/blog/")],
    }
    return only_methods(Match("/", exact=True), SAFE_METHODS, answer, policy)


def _health(catalog: Catalog, topology: GatewayTopology) -> Json:
    script = typed(
        "extensions.filters.http.lua.v3.LuaPerRoute",
        {
            "source_code": {"inline_string": topology.health_lua},
            "filter_context": {
                "services": list(catalog.names),
                "timeout_ms": _READINESS_TIMEOUT_MS,
            },
        },
    )
    return {
        "direct_response": {"status": 503},
        "typed_per_filter_config": {
            _LUA: typed("config.route.v3.FilterConfig", {"config": script})
        },
    }


def _cors(edge: Edge) -> Json:
    cors = edge.cors
    return typed(
        "extensions.filters.http.cors.v3.CorsPolicy",
        {
            "allow_origin_string_match": [{"exact": origin} for origin in cors.allow_origins],
            "allow_methods": ", ".join(cors.allow_methods),
            "allow_headers": ", ".join(cors.allow_headers),
            "expose_headers": ", ".join(cors.expose_headers),
            "max_age": str(cors.max_age_seconds),
            "allow_credentials": False,
        },
    )


def _foreign_headers(topology: GatewayTopology) -> list[str]:
    """Of other people's traces; `traceparent` is left to the routes where some are traced."""
    if topology.mesh is None:  # in a cluster its own mesh traces, and its headers have to stay
        return []
    return ["tracestate", *(["traceparent"] if topology.otlp_socket is None else [COPY])]


def _strip_spoofed(hops: int) -> list[Json]:
    prefixes = list(_SPOOFABLE_PREFIXES)
    if hops == 0:
        prefixes += _SPOOFABLE_FORWARDED
    removals: list[Json] = [
        {"remove_on_match": {"key_matcher": {"prefix": prefix, "ignore_case": True}}}
        for prefix in prefixes
    ]
    return [*removals, *({"remove": name} for name in _SPOOFABLE_NAMES)]
