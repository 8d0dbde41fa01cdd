"""The service catalog: what every `services/<name>/service.toml` declares, checked as a whole.

The mesh, the gateway's routes and the reference pages are rendered from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, StringConstraints, field_validator, model_validator

from titanium import declared
from titanium.declared import Declared
from titanium.errors import ConfigurationError
from titanium.layout import GATEWAY

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
Path_ = Annotated[
    str, StringConstraints(pattern=r"^/([A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*)?$", max_length=200)
]
_SEGMENT = r"([A-Za-z0-9._~-]+|\{[a-z_]+\})"
Template = Annotated[
    str, StringConstraints(pattern=rf"^/({_SEGMENT}(/{_SEGMENT})*)?$", max_length=200)
]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,30}$")]
Database = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,30}$")]

# Bounds of the proxies' histograms, locally and in a cluster: only there can be counted how many
# answers were faster.
LATENCIES_MS = (5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000)
INTERNAL = "/internal"
READINESS = "/internal/readyz"
# Paths that the gateway answers or rewrites by itself; a service cannot claim them.
GATEWAY_PATHS = ("/", "/health", "/api/docs", "/api/openapi.json", "/blog/api")
SERVICE_FILE = "service.toml"
# Processes and users of the platform itself: a service of that name would share their folders,
# accounts or labels.
RESERVED_NAMES = frozenset(
    {"alertmanager", "console", "exporter", "monitor", "observability", "platform", "postgres"}
    | {"prometheus", "redis", "supervisor", "titanium", GATEWAY}
)


class Match(NamedTuple):
    """Which paths are meant: `path` itself and, for a prefix, everything below `path/`.

    An exact path may be a template: `{id}` stands for any one segment.
    """

    path: str
    exact: bool

    @property
    def regex(self) -> str | None:
        """The regular expression (RE2) of a template; None for a literal path."""
        if "{" not in self.path:
            return None
        parts = (
            "[^/]+" if part.startswith("{") else re.escape(part) for part in self.path.split("/")
        )
        return "/".join(parts)

    def covers(self, path: str) -> bool:
        if self.regex:
            return re.fullmatch(self.regex, path) is not None
        if path == self.path:
            return True
        return not self.exact and path.startswith(self.path.rstrip("/") + "/")


class Permission(NamedTuple):
    """One cell of the default-deny matrix: this method on these paths."""

    method: str
    match: Match


class Route(Declared):
    """A public path at the gateway; exactly one of `prefix` and `exact` is given.

    `compress`: the gateway compresses text that is answered here, for clients that can read it.
    """

    prefix: Path_ | None = None
    exact: Template | None = None
    methods: Annotated[tuple[Method, ...], Field(min_length=1)]
    token: bool
    limit: Name
    compress: bool = False

    @model_validator(mode="after")
    def _one_path(self) -> Route:
        if (self.prefix is None) == (self.exact is None):
            raise ValueError("give exactly one of prefix and exact")
        if self.prefix == "/":
            raise ValueError('prefix = "/" would take every path; use exact = "/"')
        if len(set(self.methods)) != len(self.methods):
            raise ValueError("methods names one method twice")
        return self

    @property
    def match(self) -> Match:
        if self.exact is not None:
            return Match(self.exact, exact=True)
        return Match(self.prefix or "", exact=False)


class Call(Declared):
    """An outbound call that a service may make; `path` is a path prefix, or a template, which
    includes nothing below it."""

    service: Name
    method: Method
    path: Template

    @property
    def match(self) -> Match:
        return Match(self.path, exact="{" in self.path)


class Needs(Declared):
    """What a service needs beside it: a database of this name (or none), Redis or not."""

    postgres: Database | None = None
    redis: bool = False


class Slo(Declared):
    """Promises over 30 days: share of good answers in per cent, p95 in milliseconds."""

    availability: Annotated[float, Field(gt=0, lt=100)]
    latency_p95_ms: int

    @field_validator("latency_p95_ms")
    @classmethod
    def _measurable(cls, value: int) -> int:
        if value not in LATENCIES_MS:
            choice = ", ".join(str(bound) for bound in LATENCIES_MS)
            raise ValueError(f"{value} cannot be measured; use one of: {choice}")
        return value


class _Head(Declared):
    name: Name
    app: Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_.]*:[a-z_][a-z0-9_]*$")]
    description: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class _File(Declared):
    service: _Head
    routes: tuple[Route, ...] = ()
    calls: tuple[Call, ...] = ()
    needs: Needs = Needs()
    slo: Slo


@dataclass(frozen=True, slots=True)
class Service:
    """One `service.toml`; `app` is the import path of its application factory."""

    name: str
    app: str
    description: str
    routes: tuple[Route, ...]
    calls: tuple[Call, ...]
    needs: Needs
    slo: Slo
    file: Path


@dataclass(frozen=True, slots=True)
class Catalog:
    """All services by name, in name order."""

    services: Mapping[str, Service]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.services)

    def __iter__(self) -> Iterator[Service]:
        return iter(self.services.values())

    def __getitem__(self, name: str) -> Service:
        return self.services[name]

    def callees(self, caller: str) -> tuple[str, ...]:
        """Services that `caller` (a service or the gateway) may reach at all, in name order."""
        return tuple(name for name in self.services if self.allowed(caller, name))

    def callers(self, service: str) -> tuple[str, ...]:
        """Who may reach `service` at all: the gateway first, then services in name order."""
        return tuple(name for name in (GATEWAY, *self.services) if self.allowed(name, service))

    def allowed(self, caller: str, service: str) -> tuple[Permission, ...]:
        """What `caller` may do at `service`; everything that is not here is denied.

        The gateway may call every public route and, to tell its own health, the readiness path.
        """
        if caller == GATEWAY:
            routes = [
                Permission(method, route.match)
                for route in self.services[service].routes
                for method in route.methods
            ]
            return (*routes, Permission("GET", Match(READINESS, exact=True)))
        return tuple(
            Permission(call.method, call.match)
            for call in self.services[caller].calls
            if call.service == service
        )


def load_catalog(root: Path) -> Catalog:
    """Read every service under `root/services`.

    Raises ConfigurationError naming the file and the key at fault.
    """
    folder = root / "services"
    if not folder.is_dir():
        raise ConfigurationError(
            f"{folder}: there is no such folder", "run inside a checkout of the platform"
        )
    services: dict[str, Service] = {}
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name != GATEWAY and not path.name.startswith((".", "_")):
            service = _load_service(path / SERVICE_FILE)
            services[service.name] = service
    if not services:
        raise ConfigurationError(
            f"{folder}: no service declared", f"add a folder with a {SERVICE_FILE}"
        )
    catalog = Catalog(MappingProxyType(services))
    _check_calls(catalog)
    _check_routes(catalog)
    return catalog


def _load_service(path: Path) -> Service:
    content = declared.read(path, _File)
    head = content.service
    if head.name != path.parent.name:
        raise ConfigurationError(
            f'{path}: service.name: "{head.name}" differs from the folder "{path.parent.name}"',
            "give both the same name",
        )
    if head.name in RESERVED_NAMES:
        raise ConfigurationError(f"{path}: service.name: reserved", "choose another name")
    return Service(
        name=head.name,
        app=head.app,
        description=head.description,
        routes=content.routes,
        calls=content.calls,
        needs=content.needs,
        slo=content.slo,
        file=path,
    )


def _check_calls(catalog: Catalog) -> None:
    for service in catalog:
        seen: set[Call] = set()
        for number, call in enumerate(service.calls):
            key = f"{service.file}: calls[{number}]"
            if call.service not in catalog.services:
                raise ConfigurationError(
                    f'{key}.service: no service is named "{call.service}"',
                    f"use one of: {', '.join(catalog.names)}",
                )
            if call.service == service.name:
                raise ConfigurationError(
                    f"{key}.service: a service does not call itself over the mesh", f"remove {key}"
                )
            if call in seen:
                raise ConfigurationError(f"{key}: declared twice", "remove one of the two")
            seen.add(call)


def _check_routes(catalog: Catalog) -> None:
    owners: dict[tuple[Match, str], str] = {}
    for service in catalog:
        for number, route in enumerate(service.routes):
            key = f"{service.file}: routes[{number}].{'exact' if route.exact else 'prefix'}"
            _check_public(route.match, key)
            for method in route.methods:
                owner = owners.setdefault((route.match, method), service.name)
                if owner != service.name or _twice(service, route, method, number):
                    raise ConfigurationError(
                        f"{key}: {method} {route.match.path} is already declared by {owner}",
                        "let one route have it",
                    )


def _twice(service: Service, route: Route, method: str, number: int) -> bool:
    earlier = service.routes[:number]
    return any(other.match == route.match and method in other.methods for other in earlier)


def _check_public(match: Match, key: str) -> None:
    internal = Match(INTERNAL, exact=False)
    if internal.covers(match.path):
        raise ConfigurationError(
            f"{key}: {match.path} is internal and never public", "choose a path outside /internal"
        )
    if match.path in GATEWAY_PATHS or Match("/blog/api", exact=False).covers(match.path):
        raise ConfigurationError(
            f"{key}: the gateway answers {match.path} itself", "choose another path"
        )
