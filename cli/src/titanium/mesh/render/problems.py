"""What a proxy answers by itself: RFC 9457 problems in words that a person understands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from titanium.mesh.render.parts import Json, header

PROBLEM_JSON = "application/problem+json"
# On a 503 that a sidecar gives because its app never saw the request: safe to send again.
UNDELIVERED = "x-titanium-undelivered"
# Set on a request by the gateway's own script when it writes the whole problem itself.
COMPLETE = "x-titanium-complete"
REQUEST_ID = "%REQ(X-REQUEST-ID)%"
PATH = "%PATH(NQ:ORIG_OR_PATH)%"


@dataclass(frozen=True, slots=True)
class Problem:
    """One local answer; `flags` (Envoy's response flags) narrow it down, first match wins.

    `early`: Envoy gives it also to a request that it has not read to the end or not accepted,
    which then has no id, and perhaps no path.
    """

    status: int
    detail: str
    flags: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    early: bool = False


@dataclass(frozen=True, slots=True)
class _Request:
    """What an answer can say about its request; `missing` are the headers that tell them apart."""

    request_id: str
    instance: str
    missing: tuple[str, ...] = ()

    def narrow(self, conditions: Sequence[Json]) -> Json:
        """A filter for answers that meet `conditions`, to requests without `missing`."""
        absent = [
            {"header_filter": {"header": {"name": name, "present_match": False}}}
            for name in self.missing
        ]
        filters = [*conditions, *absent]
        return {"and_filter": {"filters": filters}} if len(filters) > 1 else filters[0]


# The most special first: the first mapper that fits is taken.
_NAMELESS = _Request("%UNIQUE_ID%", "", ("x-request-id", ":path"))
_PATHED = _Request("%UNIQUE_ID%", PATH, ("x-request-id",))
_PATHLESS = _Request(REQUEST_ID, "", (":path",))  # CONNECT
_IDENTIFIED = _Request(REQUEST_ID, PATH)
_ANY = (_NAMELESS, _PATHED, _PATHLESS, _IDENTIFIED)

_RETRY_SOON = (("retry-after", "1"),)

_INVALID = "The request is not valid HTTP, or its method or path is one that is refused here."

WRONG_METHOD = "This path does not support the request's method; see the Allow header."

_COMMON = (
    Problem(400, _INVALID, early=True),
    Problem(404, "There is nothing at this path.", early=True),
    Problem(405, WRONG_METHOD),
    Problem(408, "The request did not arrive completely in time.", early=True),
    Problem(413, "The request's body is too large."),
    Problem(426, "Use HTTP/1.1 or HTTP/2.", early=True),
    Problem(429, "Too many requests from this address; wait as long as Retry-After says."),
    Problem(431, "The request's headers are too large.", early=True),
    Problem(500, "The request could not be handled because of an internal error."),
    Problem(501, "The request uses a transfer encoding that is not supported.", early=True),
    Problem(502, "The service behind this path gave an invalid answer."),
    Problem(
        503,
        "The platform is at its limit; try again shortly.",
        flags=("UO", "OM"),
        headers=_RETRY_SOON,
        early=True,
    ),
    Problem(
        503,
        "The service behind this path cannot be reached right now; try again shortly.",
        headers=_RETRY_SOON,
    ),
    Problem(504, "The service behind this path did not answer in time."),
)

GATEWAY_PROBLEMS = (
    Problem(403, "This request is not allowed.", early=True),
    *_COMMON,
)
SIDECAR_PROBLEMS = (
    Problem(403, "This caller is not allowed to make this call."),
    # Refused before the app saw anything: not connected, or no place in the queue.
    Problem(
        503,
        "The service cannot be reached right now; try again shortly.",
        flags=("UF", "UH"),
        headers=(*_RETRY_SOON, (UNDELIVERED, "1")),
    ),
    *_COMMON,
)
EGRESS_PROBLEMS = (
    Problem(403, "This service has not declared this call; see [[calls]] in its service.toml."),
    *_COMMON,
)


def local_replies(problems: Sequence[Problem], routes: Sequence[Json] = ()) -> Json:
    """`local_reply_config` that turns every local answer from 400 on into a problem.

    `routes` are those that answer 405; see `_wrong_query`.
    """
    mappers = [_as_it_is(), *map(_wrong_query, routes)]
    for problem in problems:
        mappers += _mappers(problem)
    mappers += [_rest(who) for who in _ANY]
    return {"mappers": mappers}


def title(status: int) -> str:
    """The registered phrase of a status code."""
    return "Content Too Large" if status == 413 else HTTPStatus(status).phrase


def _as_it_is() -> Json:
    return {
        "filter": {"header_filter": {"header": {"name": COMPLETE, "present_match": True}}},
        "body_format_override": {
            "content_type": PROBLEM_JSON,
            "text_format_source": {"inline_string": "%LOCAL_REPLY_BODY%"},
        },
    }


def _wrong_query(route: Json) -> Json:
    """405 for QUERY (the method) where `route` gives it to every other wrong method.

    Envoy refuses a QUERY without a content type before it looks for a route.
    """
    match: Json = route["match"]
    if "path_separated_prefix" in match:
        path = f"{re.escape(match['path_separated_prefix'])}([/?].*)?"
    else:
        literal = re.escape(match["path"]) if "path" in match else match["safe_regex"]["regex"]
        path = rf"{literal}(\?.*)?"
    headers = (
        {"name": ":method", "string_match": {"exact": "QUERY"}},
        {"name": ":path", "string_match": {"safe_regex": {"regex": path}}},
    )
    filters = [_status("EQ", 400), *({"header_filter": {"header": one}} for one in headers)]
    return {
        "filter": {"and_filter": {"filters": filters}},
        "status_code": 405,
        "headers_to_add": route["response_headers_to_add"],
        "body_format_override": _body(405, title(405), WRONG_METHOD, "%UNIQUE_ID%"),
    }


def _mappers(problem: Problem) -> list[Json]:
    """One for whole requests; before it, for early answers, those for requests that lack parts."""
    asked = _ANY if problem.early else (_IDENTIFIED,)
    return [_mapper(problem, request) for request in asked]


def _mapper(problem: Problem, request: _Request) -> Json:
    conditions = [_status("EQ", problem.status)]
    if problem.flags:
        conditions.append({"response_flag_filter": {"flags": list(problem.flags)}})
    mapper: Json = {
        "filter": request.narrow(conditions),
        "body_format_override": _body(
            problem.status,
            title(problem.status),
            problem.detail,
            request.request_id,
            request.instance,
        ),
    }
    if problem.headers:
        mapper["headers_to_add"] = [header(name, value) for name, value in problem.headers]
    return mapper


def _rest(request: _Request) -> Json:
    """Any other error, which keeps its status."""
    return {
        "filter": request.narrow([_status("GE", 400)]),
        "body_format_override": _body(
            "%RESPONSE_CODE%",
            "Error",
            "The request could not be handled.",
            request.request_id,
            request.instance,
        ),
    }


def _status(comparison: str, status: int) -> Json:
    value = {"default_value": status, "runtime_key": f"local_reply.{comparison.lower()}.{status}"}
    return {"status_code_filter": {"comparison": {"op": comparison, "value": value}}}


def _body(
    status: int | str,
    title_text: str,
    detail: str,
    request_id: str = REQUEST_ID,
    instance: str = PATH,
) -> Json:
    return {
        "content_type": PROBLEM_JSON,
        "json_format": {
            "type": "about:blank",
            "title": title_text,
            "status": status,
            "detail": detail,
            "instance": instance,
            "request_id": request_id,
        },
    }
