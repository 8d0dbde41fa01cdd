"""What a reader asks of a list of posts."""

from __future__ import annotations

from dataclasses import dataclass

from titanium_blog.domain import limits
from titanium_blog.domain.cursor import Cursor


@dataclass(frozen=True, slots=True)
class Listing:
    """Newest first, or best match first with `q`.

    `category` is a slug or a name, `author` a username in any case; `cursor` starts after the
    post where the page before ended; `offset` posts are skipped from there.
    """

    limit: int = limits.DEFAULT_PAGE
    offset: int = 0
    cursor: Cursor | None = None
    category: str | None = None
    author: str | None = None
    q: str | None = None
