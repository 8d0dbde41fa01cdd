"""What the address of a page asks for, and what a list shows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import Request

from titanium_blog.adapters.browsing import PageReader
from titanium_blog.adapters.markdown import text_of
from titanium_blog.domain import limits
from titanium_blog.domain.cursor import PATTERN, Cursor
from titanium_blog.domain.hits import Wanted
from titanium_blog.domain.listing import Listing

CURSOR = re.compile(PATTERN)
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
POST_ID = re.compile("[1-9][0-9]{0,18}")


def post_number(text: str) -> int | None:
    """The number of a post in an address; None for what cannot be one."""
    number = int(text) if POST_ID.fullmatch(text) else 0
    return number if 0 < number <= limits.ID else None


def _text(request: Request, name: str, longest: int) -> str | None:
    """A parameter as somebody may have typed it: cut and cleaned instead of refused."""
    return CONTROL.sub(" ", request.query_params.get(name, "")[:longest]).strip() or None


def listing_of(request: Request) -> Listing:
    """The list that the query asks for; what makes no sense is ignored."""
    cursor = request.query_params.get("cursor", "")
    return Listing(
        cursor=Cursor.decode(cursor) if CURSOR.fullmatch(cursor) else None,
        category=_text(request, "category", limits.CATEGORY_NAME * 2),
        author=_text(request, "author", limits.USERNAME),
        q=_text(request, "q", limits.QUERY),
    )


async def found(
    reader: PageReader, wanted: Wanted, rows: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Rows of a search: an excerpt without a hit gives way to the place where one is."""
    posts = [dict(row) for row in rows]
    elsewhere = [
        post for post in posts if not any(part.hit for part in wanted.parts(post["excerpt"]))
    ]
    if elsewhere:
        texts = await reader.beginnings([post["id"] for post in elsewhere])
        for post in elsewhere:
            place = wanted.around(text_of(texts.get(post["id"], "")))
            post["excerpt"] = place or post["excerpt"]
    return posts
