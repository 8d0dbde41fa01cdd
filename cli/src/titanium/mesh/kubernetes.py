"""The gateway of a Kubernetes cluster: the edge of a local run, and what differs there.

TLS ends before it, access logs go to standard output, and since pods come and go, connections
are given up before the pod at their end is told to stop.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from titanium.catalog import Catalog
from titanium.layout import GATEWAY
from titanium.mesh.edge import Edge, load_edge
from titanium.mesh.policy import Policy, load_policy
from titanium.mesh.render.gateway import render_gateway
from titanium.mesh.render.hardening import connection_manager, listener, router
from titanium.mesh.render.parts import Json, seconds, tcp, typed
from titanium.mesh.topology import GatewayTopology, health_lua
from titanium.reference.published import Published, read_published

# Committed here, copied there by services/gateway/Dockerfile.
SOURCE = Path("services") / GATEWAY / "kubernetes"
IMAGE = Path("/etc/titanium/gateway")
BOOTSTRAP, OPENAPI, DOCS = "envoy.json", "openapi.json", "docs.html"
# The same behind one proxy of ours that says who the client is, such as Istio's ingress gateway:
# component istio starts the gateway with it.
BEHIND_PROXY = "envoy-behind-proxy.json"

EVERYONE = "0.0.0.0"  # noqa: S104 - in a pod of its own; who reaches it is the network policy's
HTTP_PORT = 8080
METRICS_PORT = 9902
ADMIN_SOCKET = Path("/run/envoy/admin.sock")
ADMIN = "admin"
_ADMIN_PATHS = ("/ready", "/stats/prometheus")

# A connection outlives the moment in which its pod leaves the Service. Longer than this plus
# what the cluster needs to hear of it, a pod that stops must wait before it closes anything.
CONNECTION_SECONDS = 5


def generated(root: Path, catalog: Catalog, published: Published | None = None) -> dict[Path, str]:
    """The image's files: path in the checkout at `root` -> content.

    `published` is the reference to publish; by default the one in `docs/reference`.
    """
    reference = published or read_published(root)
    policy, edge = load_policy(root), load_edge(root)
    folder = root / SOURCE
    return {
        folder / name: json.dumps(
            render_kubernetes_gateway(catalog, one, edge, reference.style), indent=1
        )
        + "\n"
        for name, one in ((BOOTSTRAP, policy), (BEHIND_PROXY, _behind_one_proxy(policy)))
    } | {folder / OPENAPI: reference.openapi, folder / DOCS: reference.page}


def _behind_one_proxy(policy: Policy) -> Policy:
    edge = policy.edge.model_copy(update={"xff_num_trusted_hops": 1})
    return policy.model_copy(update={"edge": edge})


def render_kubernetes_gateway(
    catalog: Catalog, policy: Policy, edge: Edge, docs_style: str = ""
) -> Json:
    """Envoy v3 bootstrap of the gateway's pods, as JSON data; `docs_style` as in the topology."""
    topology = GatewayTopology(
        http_port=HTTP_PORT,
        bind=EVERYONE,
        health_lua=health_lua(),
        openapi_json=IMAGE / OPENAPI,
        docs_html=IMAGE / DOCS,
        access_log=Path("/dev/stdout"),
        docs_style=docs_style,
        admin_socket=ADMIN_SOCKET,
    )
    bootstrap = render_gateway(catalog, policy, edge, topology)
    resources = bootstrap["static_resources"]
    for cluster in resources["clusters"]:
        _give_up_connections_to_services(cluster)
    for public in resources["listeners"]:
        manager = public["filter_chains"][0]["filters"][0]["typed_config"]
        _log_to_standard_output(manager)
        _give_up_connections_of_clients(manager)
        for action in _forwarding(manager):
            _name_the_service(action)
    resources["listeners"].append(_metrics_listener(policy))
    resources["clusters"].append(_admin_cluster())
    return bootstrap


def _log_to_standard_output(manager: Json) -> None:
    """Not to the file /dev/stdout: not every runtime lets a numeric user open that."""
    (log,) = manager["access_log"]
    message = "extensions.access_loggers.stream.v3.StdoutAccessLog"
    content = typed(message, {"log_format": log["typed_config"]["log_format"]})
    manager["access_log"] = [{"name": "envoy.access_loggers.stdout", "typed_config": content}]


def _give_up_connections_to_services(cluster: Json) -> None:
    """Envoy ends a connection between two requests: none is lost."""
    (options,) = cluster["typed_extension_protocol_options"].values()
    options["common_http_protocol_options"]["max_connection_duration"] = seconds(CONNECTION_SECONDS)


def _give_up_connections_of_clients(manager: Json) -> None:
    """HTTP/1.1 clients are told with an answer, HTTP/2 clients by GOAWAY: none loses a request."""
    manager["common_http_protocol_options"] = {
        **manager["common_http_protocol_options"],
        "max_connection_duration": seconds(CONNECTION_SECONDS),
    }
    manager["http1_safe_max_connection_duration"] = True
    manager["drain_timeout"] = "1s"


def _name_the_service(action: Json) -> None:
    """Istio's sidecar looks the Host up among its services, and would pass what it does not find
    on in plain text. Apps find the client's word in X-Forwarded-Host."""
    action["auto_host_rewrite"] = True
    action["append_x_forwarded_host"] = True


def _forwarding(manager: Json) -> Iterator[Json]:
    """The action of every route that leads to a service."""
    for host in manager["route_config"]["virtual_hosts"]:
        for route in host["routes"]:
            if "route" in route:
                yield route["route"]


def _metrics_listener(policy: Policy) -> Json:
    """Two pages of the admin interface for the kubelet and Prometheus, and no other of it."""
    get = [{"name": ":method", "string_match": {"exact": "GET"}}]
    routes: list[Json] = [
        {"match": {"path": path, "headers": get}, "route": {"cluster": ADMIN, "timeout": "5s"}}
        for path in _ADMIN_PATHS
    ]
    routes.append({"match": {"prefix": "/"}, "direct_response": {"status": 404}})
    content: Json = {
        "route_config": {
            "name": "metrics",
            "virtual_hosts": [{"name": "metrics", "domains": ["*"], "routes": routes}],
        },
        "http_filters": [router(counted=False)],
    }
    return {
        **listener(
            "metrics", tcp(EVERYONE, METRICS_PORT), connection_manager("metrics", policy, content)
        ),
        # Under load the kubelet must still get its answer: a restart would make it worse.
        "ignore_global_conn_limit": True,
        "bypass_overload_manager": True,
    }


def _admin_cluster() -> Json:
    endpoint = {"endpoint": {"address": {"pipe": {"path": str(ADMIN_SOCKET)}}}}
    return {
        "name": ADMIN,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": ADMIN, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }
