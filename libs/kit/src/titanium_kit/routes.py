"""What the router found out about a request: its path template and the methods of an address."""

from __future__ import annotations

from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute
from starlette.types import Scope

from titanium_kit.metrics import UNMATCHED


def route_template(scope: Scope) -> str:
    """The template of the route that served `scope`, prefixes included: `/api/posts/{post_id}`.

    `scope["route"]` is the route as it was declared; below `include_router(prefix=...)` only
    FastAPI's own context knows the whole path.
    """
    found = scope.get("fastapi", {}).get("effective_route_context")
    found = getattr(found, "starlette_route", None) or found or scope.get("route")
    return getattr(found, "path_format", "") or getattr(found, "path", "") or UNMATCHED


def allowed_methods(routes: list[BaseRoute], scope: Scope) -> list[str]:
    """Every method that some route takes at this path; Starlette names only one route's."""
    methods: set[str] = set()
    for route in iter_route_contexts(routes):
        if route.methods and route.path_regex.match(scope["path"]):
            methods |= route.methods
    return sorted(methods)
