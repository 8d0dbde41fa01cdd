"""Small words of the Envoy vocabulary that every rendered file uses."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

# What Envoy reads: an object of JSON values, nested.
Json = dict[str, Any]

OWNER_ONLY = 0o600


def typed(name: str, content: Mapping[str, Any] | None = None) -> Json:
    """`content` as the Envoy message `name` (without the `envoy.` in front)."""
    return {"@type": f"type.googleapis.com/envoy.{name}", **(content or {})}


def http_filter(name: str, message: str, content: Mapping[str, Any] | None = None) -> Json:
    """One entry of `http_filters`; `name` is the part after `envoy.filters.http.`."""
    filter_type = f"extensions.filters.http.{message}"
    return {"name": f"envoy.filters.http.{name}", "typed_config": typed(filter_type, content)}


def header(name: str, value: str, action: str = "OVERWRITE_IF_EXISTS_OR_ADD") -> Json:
    """One header to set."""
    return {"header": {"key": name, "value": value}, "append_action": action}


def seconds(value: float) -> str:
    """A protobuf duration."""
    return f"{value:g}s"


def milliseconds(value: int) -> str:
    """A protobuf duration."""
    return f"{value / 1000:g}s"


def pipe(path: Path) -> Json:
    """A Unix socket that only its owner may use, to listen on."""
    return {"pipe": {"path": str(path), "mode": OWNER_ONLY}}


def tcp(address: str, port: int) -> Json:
    """A TCP address."""
    return {"socket_address": {"address": address, "port_value": port}}


def watched_file(path: Path) -> Json:
    """A configuration source that is read again whenever the file is replaced."""
    source = {"path": str(path), "watched_directory": {"path": str(path.parent)}}
    return {"path_config_source": source, "resource_api_version": "V3"}
