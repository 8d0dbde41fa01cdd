"""`services/gateway/edge.toml`: CORS, the headers of every answer, compression, TLS at the edge."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from titanium import declared
from titanium.catalog import Method
from titanium.declared import Declared

EDGE_FILE = Path("services") / "gateway" / "edge.toml"

Origin = Annotated[str, StringConstraints(pattern=r"^https?://[a-z0-9.-]+(:[0-9]{1,5})?$")]
HeaderName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,63}$")]
ContentType = Annotated[str, StringConstraints(pattern=r"^[a-z]+/[a-z0-9.+-]+$")]
# Printable ASCII without %: Envoy would read a format command there.
HeaderValue = Annotated[str, StringConstraints(pattern=r"^[ -$&-~]+$", max_length=2000)]


class Cors(Declared):
    """Which origins' pages may read answers; credentials (cookies) are never allowed."""

    allow_origins: tuple[Origin, ...]
    allow_methods: tuple[Method, ...]
    allow_headers: tuple[HeaderName, ...]
    expose_headers: tuple[HeaderName, ...]
    max_age_seconds: Annotated[int, Field(ge=0, le=86_400)]


class Compression(Declared):
    """What is compressed on the routes of a service.toml that say so: types, smallest size."""

    content_types: Annotated[tuple[ContentType, ...], Field(min_length=1)]
    minimum_bytes: Annotated[int, Field(ge=30, le=65_536)]


class Tls(Declared):
    """The https listener; HSTS is sent there and nowhere else."""

    minimum_version: Literal["1.2", "1.3"]
    hsts: HeaderValue


class Edge(Declared):
    """The whole file; `headers` are added to every answer."""

    cors: Cors
    headers: dict[HeaderName, HeaderValue]
    compression: Compression
    tls: Tls


def load_edge(root: Path) -> Edge:
    """Read `root/services/gateway/edge.toml`; raises ConfigurationError naming file and key."""
    return declared.read(root / EDGE_FILE, Edge)
