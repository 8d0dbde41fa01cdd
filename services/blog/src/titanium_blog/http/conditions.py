"""The headers with which requests name versions and pages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request

from titanium_blog.domain.cursor import Cursor

VERSION_TAG = re.compile(r'"([1-9][0-9]{0,8})"')


def wanted_versions(if_match: str | None) -> tuple[int, ...] | None:
    """The versions that an If-Match header accepts; None when it accepts any.

    Weak validators never match (RFC 9110, 13.1.1), nor does what is not one of our tags.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    found = (VERSION_TAG.fullmatch(tag.strip()) for tag in if_match.split(","))
    return tuple(int(match[1]) for match in found if match)


def next_link(path: str, pairs: Sequence[tuple[str, str]], cursor: Cursor) -> str:
    """The same list from `cursor` on: an absolute-path reference that keeps other parameters."""
    kept = [(name, value) for name, value in pairs if name not in ("cursor", "offset")]
    return f"{path}?{urlencode([*kept, ('cursor', cursor.encode())])}"


def query_pairs(request: Request) -> list[tuple[str, str]]:
    """The query's parameters in order, as text."""
    raw: bytes = request.scope["query_string"]
    return parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True, errors="replace")
