"""Routes: the public ones of the gateway, and the declared calls of a sidecar's egress."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from titanium.catalog import Catalog, Match, Permission
from titanium.mesh.policy import Policy
from titanium.mesh.render.compression import compressed
from titanium.mesh.render.limits import route_metadata
from titanium.mesh.render.parts import Json, header, milliseconds, seconds
from titanium.mesh.render.problems import UNDELIVERED
from titanium.mesh.render.tracing import traced_first
from titanium.mesh.topology import EGRESS_DOMAIN, Bench

SAFE_METHODS = ("GET", "HEAD")
LIMIT_PATH = "/__limit"
# The same API under the prefix that older clients use.
API, OLDER_API = "/api", "/blog/api"
# Parameters, control characters and escapes of them, which one parser may see and another not.
_REFUSED_PATHS = r"(?i).*(;|%3b|%00|%0a|%0d).*"
# Failures in which the app cannot have seen the request.
_RETRY_ON = "connect-failure,refused-stream,reset-before-request,retriable-headers"


@dataclass(frozen=True, slots=True)
class _Target:
    """Methods of one path that lead to one service under one class of limits."""

    service: str
    methods: tuple[str, ...]
    limit: str
    compress: bool = False


def refused_paths(policy: Policy) -> Json:
    """400 for paths with characters that no address of ours needs."""
    return _answer({"safe_regex": {"regex": _REFUSED_PATHS}}, 400, policy)


def public_routes(catalog: Catalog, policy: Policy) -> list[Json]:
    """Every declared route, the most specific path first."""
    routes: list[Json] = []
    for match, targets in _by_path(catalog):
        routes += _path_routes(match, match.path, targets, policy)
    return routes


def older_routes(catalog: Catalog, policy: Policy) -> list[Json]:
    """The API's routes under the prefix of older clients, rewritten to the present one."""
    routes: list[Json] = []
    for match, targets in _by_path(catalog):
        if match.path.startswith(f"{API}/"):
            older = Match(OLDER_API + match.path.removeprefix(API), match.exact)
            routes += _path_routes(older, match.path, targets, policy)
    return routes


def file_routes(
    path: str,
    file: Path,
    content_type: str,
    policy: Policy,
    more: Sequence[Json] = (),
    *,
    compress: bool = False,
) -> list[Json]:
    """A small file that the gateway serves from memory, also under the older prefix."""
    headers = [
        header("content-type", content_type),
        header("cache-control", "public, max-age=300"),
        *more,
    ]
    routes = []
    for name in (path, OLDER_API + path.removeprefix(API)):
        answer = {"status": 200, "body": {"filename": str(file)}}
        route = {
            "direct_response": answer,
            "response_headers_to_add": headers,
            **({"typed_per_filter_config": compressed()} if compress else {}),
        }
        routes += only_methods(Match(name, exact=True), SAFE_METHODS, route, policy)
    return routes


def only_methods(match: Match, methods: Sequence[str], route: Json, policy: Policy) -> list[Json]:
    """`route` for these methods of a path of the gateway's own, 405 for the others."""
    served = {
        "match": {**path_match(match), **_method_match(methods)},
        "metadata": _class_of(policy.edge.limit_unknown, policy),
        **route,
    }
    return [served, _wrong_method(match, methods, policy)]


def preflight(origins: Sequence[str], service: str, policy: Policy) -> Json:
    """Where preflights of allowed origins match, so that the CORS filter answers them.

    It answers only on routes that lead somewhere; no request ever gets as far as `service`.
    """
    route = _forward(_Target(service, ("OPTIONS",), policy.edge.limit_unknown), policy)
    headers = [
        *_method_match(["OPTIONS"])["headers"],
        {"name": "access-control-request-method", "present_match": True},
        {"name": "origin", "string_match": _one_of(origins)},
    ]
    return {**route, "match": {"prefix": "/", "headers": headers}}


def not_found(match: Json, policy: Policy) -> Json:
    """404 for whatever is left under `match`."""
    return _answer(match, 404, policy)


def bench_route(bench: Bench, policy: Policy) -> Json:
    """The benchmark's ceiling: through every filter of the gateway, answered by the sidecar."""
    route = _forward(_Target(bench.service, ("GET",), policy.edge.limit_unknown), policy)
    return {**route, "match": {"path": LIMIT_PATH}}


def egress_host(
    callee: str, permissions: Iterable[Permission], policy: Policy, *, traced: bool
) -> Json:
    """Virtual host of one callee: the declared calls, nothing else.

    With `traced`, calls that belong to a trace go their own way, and no others name one.
    """
    routes: list[Json] = []
    for permission in permissions:
        action: Json = {"cluster": callee, "timeout": seconds(policy.timeouts.call_seconds)}
        if permission.method in SAFE_METHODS:
            action["retry_policy"] = retry_policy(policy)
        match = {**path_match(permission.match), **_method_match([permission.method])}
        plain = {"match": match, "route": action}
        routes += traced_first(plain) if traced else [plain]
    return {"name": callee, "domains": [f"{callee}.{EGRESS_DOMAIN}"], "routes": routes}


def retry_policy(policy: Policy) -> Json:
    """Bounded retries on another instance; the cluster's retry budget bounds them together."""
    retries = policy.retries
    return {
        "retry_on": _RETRY_ON,
        "num_retries": retries.attempts,
        "retriable_headers": [{"name": UNDELIVERED, "present_match": True}],
        "retry_back_off": {
            "base_interval": milliseconds(retries.backoff_ms),
            "max_interval": milliseconds(10 * retries.backoff_ms),
        },
        "retry_host_predicate": [
            {
                "name": "envoy.retry_host_predicates.previous_hosts",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.retry.host"
                    ".previous_hosts.v3.PreviousHostsPredicate"
                },
            }
        ],
        # With two instances every try is a coin toss; three would leave one in sixteen behind.
        "host_selection_retry_max_attempts": 16,
    }


def path_match(match: Match) -> Json:
    """How Envoy says `match`."""
    if match.regex:
        return {"safe_regex": {"regex": match.regex}}
    return {"path": match.path} if match.exact else {"path_separated_prefix": match.path}


def _by_path(catalog: Catalog) -> list[tuple[Match, list[_Target]]]:
    """Who serves which methods of a path, the most specific path first.

    A method that the specific path does not declare is served by the prefix above it.
    """
    declared: dict[Match, list[_Target]] = {}
    for service in catalog:
        for route in service.routes:
            target = _Target(service.name, route.methods, route.limit, route.compress)
            declared.setdefault(route.match, []).append(target)
    ordered = sorted(declared, key=_specificity)
    return [(match, _with_prefixes(match, ordered, declared)) for match in ordered]


def _with_prefixes(
    match: Match, ordered: Sequence[Match], declared: Mapping[Match, Sequence[_Target]]
) -> list[_Target]:
    targets = list(declared[match])
    taken = {method for target in targets for method in target.methods}
    for above in ordered:
        if above != match and not above.exact and above.covers(match.path):
            for target in declared[above]:
                methods = tuple(name for name in target.methods if name not in taken)
                if methods:
                    targets.append(replace(target, methods=methods))
                    taken.update(methods)
    return targets


def _specificity(match: Match) -> tuple[int, bool, int, bool, str]:
    template = match.regex is not None
    return (-match.path.count("/"), template, -len(match.path), not match.exact, match.path)


def _path_routes(
    match: Match, rewritten: str, targets: Sequence[_Target], policy: Policy
) -> list[Json]:
    routes: list[Json] = []
    for target in targets:
        safe = tuple(name for name in target.methods if name in SAFE_METHODS)
        writing = tuple(name for name in target.methods if name not in SAFE_METHODS)
        if safe:
            routes.append(_public_route(match, rewritten, safe, target, policy, retried=True))
        if writing:
            keyed = _public_route(match, rewritten, writing, target, policy, retried=True)
            keyed["match"]["headers"].append({"name": "idempotency-key", "present_match": True})
            routes.append(keyed)
            routes.append(_public_route(match, rewritten, writing, target, policy, retried=False))
    methods = [name for target in targets for name in target.methods]
    return [*routes, _wrong_method(match, methods, policy)]


def _public_route(
    match: Match,
    rewritten: str,
    methods: Sequence[str],
    target: _Target,
    policy: Policy,
    *,
    retried: bool,
) -> Json:
    route = _forward(target, policy)
    if retried:
        route["route"]["retry_policy"] = retry_policy(policy)
    if rewritten != match.path and match.regex:
        route["route"]["regex_rewrite"] = {
            "pattern": {"regex": f"^{OLDER_API}/"},
            "substitution": f"{API}/",
        }
    elif rewritten != match.path:
        route["route"]["prefix_rewrite"] = rewritten
    return {"match": {**path_match(match), **_method_match(methods)}, **route}


def _forward(target: _Target, policy: Policy) -> Json:
    timeout = seconds(policy.timeouts.request_seconds)
    return {
        "route": {"cluster": target.service, "timeout": timeout},
        "metadata": _class_of(target.limit, policy),
        **({"typed_per_filter_config": compressed()} if target.compress else {}),
    }


def is_wrong_method(route: Json) -> bool:
    """Whether `route` answers 405."""
    return bool(route.get("direct_response", {}).get("status") == 405)


def _wrong_method(match: Match, methods: Iterable[str], policy: Policy) -> Json:
    allow = ", ".join(sorted(set(methods)))
    answer = _answer(path_match(match), 405, policy)
    return {**answer, "response_headers_to_add": [header("allow", allow)]}


def _answer(match: Json, status: int, policy: Policy) -> Json:
    return {
        "match": match,
        "direct_response": {"status": status},
        "metadata": _class_of(policy.edge.limit_unknown, policy),
    }


def _method_match(methods: Sequence[str]) -> Json:
    return {"headers": [{"name": ":method", "string_match": _one_of(methods)}]}


def _one_of(texts: Sequence[str]) -> Json:
    if len(texts) == 1:
        return {"exact": texts[0]}
    return {"safe_regex": {"regex": "|".join(re.escape(text) for text in texts)}}


def _class_of(limit: str, policy: Policy) -> Json:
    return route_metadata(limit, policy.limits[limit])
