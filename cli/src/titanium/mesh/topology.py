"""Where the parts of one proxy lie: ports, sockets, certificate files.

The renderer is given one of these and nothing else about the machine, so that the same
functions write the configuration for one machine and for a cluster.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from titanium.layout import GATEWAY, HOST, Home, Ports

EGRESS_DOMAIN = "titanium.internal"
APP_PORT = 8000  # what an app's container listens on in a cluster


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One instance of a service as its callers reach it: its sidecar's address."""

    port: int
    address: str = HOST


@dataclass(frozen=True, slots=True)
class Bench:
    """Answer `GET /__limit` from `service`'s sidecar itself: the ceiling of the whole path.

    Only the benchmark asks for this; a normal run has no such route.
    """

    service: str
    body: str = "ok\n"


@dataclass(frozen=True, slots=True)
class MeshFiles:
    """What a proxy of the local mesh watches: the folder of endpoint files, its own
    certificate, and the CA certificates to trust."""

    endpoints: Path
    identity: Path
    trust: Path


@dataclass(frozen=True, slots=True)
class GatewayTopology:
    """The gateway's surroundings.

    `mesh` None is a Kubernetes cluster: services are reached by DNS, and the cluster's own mesh
    encrypts. `docs_style` is the CSP source of the style in `docs_html`. Paths are absolute
    and only written into the configuration. Without `https_port` and `server_certificate` there
    is no https listener; without `admin_socket` no admin; without `otlp_socket` (where spans
    go) and `traced_socket` (the gateway's own, for requests that are traced) no tracing. A client
    that knows `trace_token` may have its request traced.
    `observability` off leaves out what only serves watching, for the benchmark to compare with.
    """

    http_port: int
    health_lua: str
    openapi_json: Path
    docs_html: Path
    access_log: Path
    docs_style: str = ""
    mesh: MeshFiles | None = None
    bind: str = HOST
    https_port: int | None = None
    server_certificate: Path | None = None
    admin_socket: Path | None = None
    bench: Bench | None = None
    otlp_socket: Path | None = None
    traced_socket: Path | None = None
    trace_token: str | None = field(default=None, repr=False)
    observability: bool = True


@dataclass(frozen=True, slots=True)
class SidecarTopology:
    """One sidecar's surroundings: its only TCP port and the Unix sockets around it.

    Without `otlp_socket` there is no tracing; `observability` as of the gateway.
    """

    instance: str
    port: int
    app_socket: Path
    egress_socket: Path
    admin_socket: Path
    mesh: MeshFiles
    bind: str = HOST
    bench: Bench | None = None
    otlp_socket: Path | None = None
    observability: bool = True


Topology = GatewayTopology | SidecarTopology


def identity_file(certs: Path, name: str) -> Path:
    """SDS file with the certificate and key of one identity (`gateway`, `blog`, ...)."""
    return certs / name / "sds-identity.json"


def trust_file(certs: Path) -> Path:
    """SDS file with the CA certificates that every proxy trusts."""
    return certs / "sds-trust.json"


def server_certificate_file(certs: Path) -> Path:
    """SDS file with the certificate of the gateway's https listener."""
    return certs / GATEWAY / "sds-server.json"


def endpoints_file(endpoints: Path, service: str) -> Path:
    """Filesystem EDS file of one service, shared by every proxy of the run."""
    return endpoints / f"{service}.json"


def mesh_files(home: Home, name: str) -> MeshFiles:
    """The files of one identity in a local run."""
    return MeshFiles(home.endpoints, identity_file(home.certs, name), trust_file(home.certs))


def health_lua() -> str:
    """Source of the gateway's `/health` script, from the package."""
    return (files("titanium.mesh.render") / "health.lua").read_text(encoding="utf-8")


def local_gateway(
    home: Home,
    ports: Ports,
    *,
    docs_style: str = "",
    bench: Bench | None = None,
    observability: bool = True,
    trace_token: str | None = None,
) -> GatewayTopology:
    """The gateway of a local run; `config/gateway/{openapi.json,docs.html}` must exist at start.

    `trace_token` is the console's: who has it may have a request traced from anywhere.
    """
    return GatewayTopology(
        http_port=ports.http,
        https_port=ports.https,
        health_lua=health_lua(),
        openapi_json=home.config / GATEWAY / "openapi.json",
        docs_html=home.config / GATEWAY / "docs.html",
        access_log=home.logs / "gateway-access.log",
        docs_style=docs_style,
        server_certificate=server_certificate_file(home.certs),
        admin_socket=home.admin_socket(GATEWAY),
        mesh=mesh_files(home, GATEWAY),
        bench=bench,
        otlp_socket=home.otlp_socket if observability else None,
        traced_socket=home.traced_socket if observability else None,
        trace_token=trace_token,
        observability=observability,
    )


def local_sidecar(
    home: Home,
    ports: Ports,
    services: Sequence[str],
    service: str,
    replica: int,
    *,
    bench: Bench | None = None,
    observability: bool = True,
) -> SidecarTopology:
    """The sidecar of instance `<service>-<replica>`; `services` are all names of the catalog."""
    instance = f"{service}-{replica}"
    return SidecarTopology(
        instance=instance,
        port=ports.sidecar(sorted(services).index(service), replica),
        app_socket=home.app_socket(instance),
        egress_socket=home.egress_socket(instance),
        admin_socket=home.admin_socket(instance),
        mesh=mesh_files(home, service),
        bench=bench,
        otlp_socket=home.otlp_socket if observability else None,
        observability=observability,
    )
