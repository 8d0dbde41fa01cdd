"""SPIFFE identities of the mesh."""

from __future__ import annotations

TRUST_DOMAIN = "titanium.local"
NAMESPACE = "titanium"


def spiffe_id(name: str) -> str:
    """Identity of a service or of the gateway, as its certificate carries it."""
    return f"spiffe://{TRUST_DOMAIN}/ns/{NAMESPACE}/sa/{name}"
