"""What routes need, in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from titanium_blog.adapters.article import ArticleRenderer
from titanium_blog.adapters.browsing import PageReader
from titanium_blog.adapters.people import People
from titanium_blog.adapters.reading import PostReader
from titanium_blog.domain.cursor import Cursor
from titanium_blog.domain.limits import DEFAULT_PAGE
from titanium_blog.domain.listing import Listing
from titanium_blog.domain.posts import Author
from titanium_blog.domain.writing import Writer
from titanium_blog.http.schemas import (
    AuthorFilter,
    CategoryFilter,
    CursorText,
    Limit,
    Offset,
    Search,
)
from titanium_kit.cache import ResponseCache
from titanium_kit.tokens import Identity


@dataclass(frozen=True, slots=True)
class Blog:
    """The parts that `create_app` put together; in `app.state.blog`."""

    reader: PostReader
    writer: Writer
    cache: ResponseCache
    articles: ArticleRenderer
    pages: PageReader
    people: People
    site: str
    """The public address, without a slash at its end."""


def blog_of(request: Request) -> Blog:
    """The application's parts. Called directly: each dependency costs a request some 50 µs."""
    blog: Blog = request.app.state.blog
    return blog


def author_of(user: Identity) -> Author:
    """The caller as the domain knows people."""
    return Author(user.user_id, user.username)


async def _listing(
    limit: Limit = DEFAULT_PAGE,
    offset: Offset = 0,
    cursor: CursorText = None,
    category: CategoryFilter = None,
    author: AuthorFilter = None,
    q: Search = None,
) -> Listing:
    return Listing(
        limit=limit,
        offset=offset,
        cursor=Cursor.decode(cursor) if cursor else None,
        category=category or None,
        author=author or None,
        q=q or None,
    )


TheListing = Annotated[Listing, Depends(_listing)]
