"""Strict reading of JSON request bodies, and the text types that fields use.

A body must be `application/json`, UTF-8, without duplicate members, NaN or absurd nesting;
anything else is a 4xx problem that says what is wrong. Unknown members are ignored.
"""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Callable, Coroutine
from email.message import Message
from functools import lru_cache
from typing import Annotated, Any

from fastapi.routing import APIRoute
from pydantic import AfterValidator
from starlette.requests import Request
from starlette.responses import Response

from titanium_kit.problems import Problem

MAX_DEPTH = 64


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise Problem(400, f"The JSON object has the member {twice[:64]!r} more than once.")
    return members


def _refuse_constant(name: str) -> None:
    raise Problem(400, f"{name} is not a JSON value.")


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise Problem(400, "The JSON has a number that is too large.")
    return value


def _refuse_depth(value: Any, depth: int = 0) -> None:
    if depth > MAX_DEPTH:
        raise Problem(400, f"The JSON is nested deeper than {MAX_DEPTH} levels.")
    members = value.values() if isinstance(value, dict) else value
    if isinstance(value, (dict, list)):
        for member in members:
            _refuse_depth(member, depth + 1)


def parse_json(body: bytes) -> Any:
    """The value of a JSON text (RFC 8259). Raises `Problem` 400 with the place of the fault."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Problem(400, f"The body is not UTF-8 at byte {error.start}.") from None
    try:
        value = json.loads(
            text,
            object_pairs_hook=_refuse_duplicates,
            parse_constant=_refuse_constant,
            parse_float=_finite,
        )
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Problem(400, f"The body is not JSON: {error.msg} at {where}.") from None
    except RecursionError:
        raise Problem(400, f"The JSON is nested deeper than {MAX_DEPTH} levels.") from None
    except ValueError:  # an integer of more digits than Python converts
        raise Problem(400, "The JSON has a number with too many digits.") from None
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH:
        _refuse_depth(value)
    return value


@lru_cache(maxsize=64)  # few are ever sent, and parsing one costs as much as a short body
def _is_json(content_type: str) -> bool:
    message = Message()
    message["content-type"] = content_type
    charset = message.get_content_charset("utf-8")
    return message.get_content_type() == "application/json" and charset in ("utf-8", "us-ascii")


class StrictRequest(Request):
    """A request whose JSON is read by `parse_json`."""

    async def body(self) -> bytes:
        """The whole body; 415 when there is one and it is not plain `application/json`."""
        body = await super().body()
        if body and self.headers.get("content-encoding", "identity").lower() != "identity":
            raise Problem(
                415,
                "Send the body without a Content-Encoding.",
                headers={"Accept-Encoding": "identity"},
            )
        if body and not _is_json(self.headers.get("content-type", "")):
            raise Problem(
                415,
                "Send the body as application/json in UTF-8.",
                headers={"Accept": "application/json"},
            )
        return body

    async def json(self) -> Any:
        return parse_json(await self.body())


class StrictRoute(APIRoute):
    """The route class of every JSON API here."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def strict_handler(request: Request) -> Response:
            return await handler(StrictRequest(request.scope, request.receive))

        return strict_handler


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not contain NUL characters")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError("must not contain lone surrogates") from None
    return text


def _one_line(text: str) -> str:
    if any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in text):
        raise ValueError("must not contain control characters")
    return text.strip()


Text = Annotated[str, AfterValidator(_storable)]
"""Text in any Unicode plane that PostgreSQL can store."""

Line = Annotated[Text, AfterValidator(_one_line)]
"""One line of text: no control characters or line separators; space around it is removed."""
