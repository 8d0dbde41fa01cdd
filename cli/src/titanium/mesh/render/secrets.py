"""SDS documents: what a proxy reads its certificates from, and may re-read while it runs."""

from __future__ import annotations

from titanium.mesh.render.parts import Json, typed

IDENTITY = "identity"
TRUST = "trust"
SERVER = "server"


def render_certificate(name: str, certificate_pem: str, key_pem: str) -> Json:
    """A certificate (chain) and its key under the secret name `name`."""
    certificate = {
        "certificate_chain": {"inline_string": certificate_pem},
        "private_key": {"inline_string": key_pem},
    }
    return _resources({"name": name, "tls_certificate": certificate})


def render_trust(authorities_pem: str) -> Json:
    """The CA certificates to trust, concatenated."""
    context = {"trusted_ca": {"inline_string": authorities_pem}}
    return _resources({"name": TRUST, "validation_context": context})


def _resources(secret: Json) -> Json:
    return {"resources": [typed("extensions.transport_sockets.tls.v3.Secret", secret)]}
