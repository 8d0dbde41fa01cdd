"""The local service mesh: what each Envoy is told, and the certificates they show each other.

Rendering is pure (dictionaries in, dictionaries out); `CertificateAuthority` and
`write_document` are the only parts that touch the disk.
"""

from __future__ import annotations

from titanium.mesh.ca import CertificateAuthority
from titanium.mesh.edge import Edge, load_edge
from titanium.mesh.files import envoy_arguments, gateway_concurrency, write_document
from titanium.mesh.policy import Policy, load_policy
from titanium.mesh.render.endpoints import render_endpoints
from titanium.mesh.render.gateway import render_gateway
from titanium.mesh.render.sidecar import render_sidecar
from titanium.mesh.topology import (
    Bench,
    Endpoint,
    GatewayTopology,
    SidecarTopology,
    Topology,
    endpoints_file,
    local_gateway,
    local_sidecar,
)

__all__ = [
    "Bench",
    "CertificateAuthority",
    "Edge",
    "Endpoint",
    "GatewayTopology",
    "Policy",
    "SidecarTopology",
    "Topology",
    "endpoints_file",
    "envoy_arguments",
    "gateway_concurrency",
    "load_edge",
    "load_policy",
    "local_gateway",
    "local_sidecar",
    "render_endpoints",
    "render_gateway",
    "render_sidecar",
    "write_document",
]
