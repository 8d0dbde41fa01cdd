"""Requests to try against a mesh's rules, and what the catalog says about each."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from tests.manifests.support import catalog
from titanium.layout import GATEWAY

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
# Our identities, one of another namespace with a name of ours, and no identity at all.
PROMETHEUS = "prometheus"
INGRESS = "ingress"
STRANGER = "stranger"
NOBODY = "nobody"
CALLERS = (
    *catalog().names,
    GATEWAY,
    "postgres",
    "redis",
    "load-generator",
    PROMETHEUS,
    INGRESS,
    STRANGER,
    NOBODY,
)
LIVENESS, READINESS, METRICS = "/internal/livez", "/internal/readyz", "/internal/metrics"
_OTHERS = ("/", "/health", "/internal", LIVENESS, READINESS, METRICS, "/api/docs", "/api")


def paths() -> tuple[str, ...]:
    """Every path that somebody declares, and what lies beside, above and below it."""
    found = set(_OTHERS)
    for service in catalog():
        for match in [
            *(route.match for route in service.routes),
            *(call.match for call in service.calls),
        ]:
            path = "/".join(
                "17" if part.startswith("{") else part for part in match.path.split("/")
            )
            found |= {path, f"{path}/below", f"{path}/below/deep", f"{path}x"}
            found.add(path.rpartition("/")[0] or "/")
    return tuple(sorted(found))


def allowed(caller: str, service: str, method: str, path: str) -> bool:
    """What the catalog allows; besides it, Prometheus reads the metrics."""
    if caller == PROMETHEUS:
        return (method, path) == ("GET", METRICS)
    if caller not in (GATEWAY, *catalog().names) or caller == service:
        return False
    return any(
        permission.method == method and permission.match.covers(path)
        for permission in catalog().allowed(caller, service)
    )


def every_request() -> Iterator[tuple[str, str, str, str]]:
    """(caller, service, method, path): the whole matrix."""
    return product(CALLERS, catalog().names, METHODS, paths())
