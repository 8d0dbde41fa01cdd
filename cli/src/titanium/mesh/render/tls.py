"""Transport sockets: mutual TLS inside the mesh, https at the edge."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from titanium.mesh.identity import spiffe_id
from titanium.mesh.render.parts import Json, typed, watched_file
from titanium.mesh.render.secrets import IDENTITY, SERVER, TRUST
from titanium.mesh.topology import EGRESS_DOMAIN, MeshFiles

_TLS = "extensions.transport_sockets.tls.v3"
# RFC 9325; TLS 1.3 suites are not configurable and all of them sound.
_TLS12_CIPHERS = [
    "[ECDHE-ECDSA-AES128-GCM-SHA256|ECDHE-ECDSA-CHACHA20-POLY1305]",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
]
_VERSIONS = {"1.2": "TLSv1_2", "1.3": "TLSv1_3"}


def mesh_server(mesh: MeshFiles, callers: Sequence[str]) -> Json:
    """Demand a certificate of our CA whose identity is one of `callers`."""
    content = {
        "require_client_certificate": True,
        # A resumed session would keep an identity beyond its certificate's end.
        "disable_stateless_session_resumption": True,
        "disable_stateful_session_resumption": True,
        "common_tls_context": {
            **_mesh_context(mesh, callers),
            "alpn_protocols": ["h2"],
        },
    }
    return _socket("DownstreamTlsContext", content)


def mesh_client(mesh: MeshFiles, service: str) -> Json:
    """Show our identity and accept exactly `service`'s."""
    content = {
        "sni": f"{service}.{EGRESS_DOMAIN}",
        "max_session_keys": 0,
        "common_tls_context": {
            **_mesh_context(mesh, [service]),
            "alpn_protocols": ["h2"],
        },
    }
    return _socket("UpstreamTlsContext", content)


def edge_server(certificate: Path, minimum_version: str) -> Json:
    """Https for people and browsers."""
    parameters: Json = {
        "tls_minimum_protocol_version": _VERSIONS[minimum_version],
        "tls_maximum_protocol_version": "TLSv1_3",
    }
    if minimum_version != "1.3":
        parameters["cipher_suites"] = _TLS12_CIPHERS
    context = {
        "tls_params": parameters,
        "alpn_protocols": ["h2", "http/1.1"],
        "tls_certificate_sds_secret_configs": [_secret(SERVER, certificate)],
    }
    return _socket("DownstreamTlsContext", {"common_tls_context": context})


def _mesh_context(mesh: MeshFiles, peers: Sequence[str]) -> Json:
    names = [{"san_type": "URI", "matcher": {"exact": spiffe_id(peer)}} for peer in peers]
    return {
        "tls_params": {
            "tls_minimum_protocol_version": "TLSv1_3",
            "tls_maximum_protocol_version": "TLSv1_3",
        },
        "tls_certificate_sds_secret_configs": [_secret(IDENTITY, mesh.identity)],
        "combined_validation_context": {
            "default_validation_context": {"match_typed_subject_alt_names": names},
            "validation_context_sds_secret_config": _secret(TRUST, mesh.trust),
        },
    }


def _secret(name: str, path: Path) -> Json:
    return {"name": name, "sds_config": watched_file(path)}


def _socket(message: str, content: Json) -> Json:
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": typed(f"{_TLS}.{message}", content),
    }
