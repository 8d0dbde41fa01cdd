"""A sidecar's bootstrap: the only way into its app, and the app's only way out."""

from __future__ import annotations

from titanium.catalog import Catalog, Match, Permission
from titanium.layout import GATEWAY
from titanium.mesh.policy import Policy
from titanium.mesh.render.access_log import sidecar_log
from titanium.mesh.render.clusters import APP, app_cluster, mesh_cluster
from titanium.mesh.render.faults import fault_filter, faulty
from titanium.mesh.render.hardening import (
    admin,
    connection_manager,
    early_mutations,
    for_server_name,
    listener,
    overload_manager,
    router,
    runtime,
)
from titanium.mesh.render.parts import Json, pipe, seconds, tcp
from titanium.mesh.render.problems import EGRESS_PROBLEMS, SIDECAR_PROBLEMS, local_replies
from titanium.mesh.render.rbac import rbac_filter
from titanium.mesh.render.routes import LIMIT_PATH, egress_host
from titanium.mesh.render.stats import stats_config
from titanium.mesh.render.tls import mesh_server
from titanium.mesh.render.tracing import (
    TRACED_SERVER_NAME,
    follow_only,
    otlp_clusters,
    to_tracer,
    tracing,
    tracing_runtime,
)
from titanium.mesh.topology import SidecarTopology


def render_sidecar(
    catalog: Catalog, policy: Policy, service: str, topology: SidecarTopology
) -> Json:
    """Envoy v3 bootstrap of one instance's sidecar, as JSON data."""
    callees = catalog.callees(service)
    clusters = [app_cluster(topology.app_socket, policy)]
    clusters += [mesh_cluster(name, policy, topology.mesh) for name in callees]
    clusters += otlp_clusters(topology.otlp_socket)
    return {
        "node": {"id": topology.instance, "cluster": service},
        "admin": admin(topology.admin_socket),
        "static_resources": {
            "listeners": [
                _inbound(catalog, policy, service, topology),
                _egress(catalog, policy, service, topology),
            ],
            "clusters": clusters,
        },
        "overload_manager": overload_manager(policy.edge),
        "layered_runtime": runtime(
            {"inbound": policy.edge.max_connections}, tracing_runtime(topology.otlp_socket)
        ),
        "stats_config": stats_config(),
    }


def _inbound(catalog: Catalog, policy: Policy, service: str, topology: SidecarTopology) -> Json:
    callers = catalog.callers(service)
    permissions = {caller: list(catalog.allowed(caller, service)) for caller in callers}
    forward: Json = {
        "match": {"prefix": "/"},
        # The caller's time-out rules; this one only ends what nobody waits for any more.
        "route": {"cluster": APP, "timeout": seconds(policy.timeouts.request_seconds)},
    }
    routes = [*([faulty(forward)] if topology.observability else []), forward]
    if topology.bench is not None and topology.bench.service == service:
        permissions[GATEWAY].append(Permission("GET", Match(LIMIT_PATH, exact=True)))
        routes.insert(0, _limit_route(topology.bench.body))
    content: Json = {
        **_inside(service, topology, "inbound"),
        "codec_type": "HTTP2",
        "local_reply_config": local_replies(SIDECAR_PROBLEMS),
        "route_config": {
            "name": "inbound",
            "virtual_hosts": [{"name": "app", "domains": ["*"], "routes": routes}],
        },
        "http_filters": [
            rbac_filter(permissions),
            *([fault_filter()] if topology.observability else []),
            # What the listener counts is what the application was asked.
            router(counted=False),
        ],
    }
    chains = [connection_manager("inbound", policy, content)]
    if topology.otlp_socket is not None:
        # A tracer costs every request of its chain, also those that it leaves alone.
        content = {**content, **_tracer(service, topology)}
        traced = connection_manager("inbound", policy, content)
        chains.insert(0, for_server_name(TRACED_SERVER_NAME, traced))
    return listener(
        "inbound",
        tcp(topology.bind, topology.port),
        *chains,
        tls=mesh_server(topology.mesh, callers),
    )


def _egress(catalog: Catalog, policy: Policy, service: str, topology: SidecarTopology) -> Json:
    traced = topology.otlp_socket is not None
    hosts = [
        egress_host(name, catalog.allowed(service, name), policy, traced=traced)
        for name in catalog.callees(service)
    ]
    denied = {"match": {"prefix": "/"}, "direct_response": {"status": 403}}
    for host in hosts:
        host["routes"].append(denied)
    hosts.append({"name": "undeclared", "domains": ["*"], "routes": [denied]})
    content: Json = {
        **_inside(service, topology, "egress"),
        **(_tracer(service, topology) if traced else {}),
        "local_reply_config": local_replies(EGRESS_PROBLEMS),
        "route_config": {"name": "egress", "virtual_hosts": hosts},
        "http_filters": [
            *([{**to_tracer(), "disabled": True}] if traced else []),
            router(counted=topology.observability),
        ],
    }
    chain = connection_manager("egress", policy, content)
    return listener("egress", pipe(topology.egress_socket), chain, outbound=True)


def _inside(service: str, topology: SidecarTopology, event: str) -> Json:
    """What both listeners share: callers are ours, so their request id is kept."""
    return {
        "use_remote_address": False,
        "skip_xff_append": True,
        "server_header_transformation": "PASS_THROUGH",
        "access_log": [sidecar_log(service, topology.instance, event)],
    }


def _tracer(service: str, topology: SidecarTopology) -> Json:
    return {
        **tracing(service, topology.instance),
        "early_header_mutation_extensions": [early_mutations(follow_only())],
    }


def _limit_route(body: str) -> Json:
    return {
        "match": {"path": LIMIT_PATH},
        "direct_response": {"status": 200, "body": {"inline_string": body}},
    }
