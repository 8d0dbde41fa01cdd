"""The default-deny matrix of the catalog as Envoy's RBAC filter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from titanium.catalog import Match, Permission
from titanium.mesh.identity import spiffe_id
from titanium.mesh.render.parts import Json, http_filter


def rbac_filter(permissions: Mapping[str, Sequence[Permission]]) -> Json:
    """Allow each caller (by its certificate) its method and path pairs, nobody anything else."""
    policies = {caller: _policy(caller, allowed) for caller, allowed in permissions.items()}
    return http_filter("rbac", "rbac.v3.RBAC", {"rules": {"action": "ALLOW", "policies": policies}})


def _policy(caller: str, permissions: Sequence[Permission]) -> Json:
    methods: dict[Match, list[str]] = {}
    for permission in permissions:
        methods.setdefault(permission.match, []).append(permission.method)
    return {
        "principals": [{"authenticated": {"principal_name": {"exact": spiffe_id(caller)}}}],
        "permissions": [_rule(match, names) for match, names in methods.items()],
    }


def _rule(match: Match, methods: Sequence[str]) -> Json:
    return {"and_rules": {"rules": [_paths(match), _any([_method(name) for name in methods])]}}


def _paths(match: Match) -> Json:
    if match.regex:
        return {"url_path": {"path": {"safe_regex": {"regex": match.regex}}}}
    itself = {"url_path": {"path": {"exact": match.path}}}
    if match.exact:
        return itself
    below = {"url_path": {"path": {"prefix": match.path.rstrip("/") + "/"}}}
    return _any([itself, below])


def _method(name: str) -> Json:
    return {"header": {"name": ":method", "string_match": {"exact": name}}}


def _any(rules: Sequence[Json]) -> Json:
    return rules[0] if len(rules) == 1 else {"or_rules": {"rules": list(rules)}}
