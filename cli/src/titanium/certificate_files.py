"""Reads certificates from the files that proxies read; imports nothing of the mesh."""

from __future__ import annotations

import json
from pathlib import Path

from cryptography import x509


def certificate_in(path: Path) -> x509.Certificate | None:
    """The certificate in an SDS file or in a PEM file; None when there is none to be read."""
    try:
        content = path.read_bytes()
        if path.suffix == ".json":
            chain = json.loads(content)["resources"][0]["tls_certificate"]["certificate_chain"]
            content = chain["inline_string"].encode()
        return x509.load_pem_x509_certificate(content)
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError):
        return None
