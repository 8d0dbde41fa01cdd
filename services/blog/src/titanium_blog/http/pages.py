"""The web pages under `/blog/`: rendered here, readable without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import ParamSpec

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from titanium_blog.domain import limits, tags
from titanium_blog.domain.cursor import PATTERN, Cursor
from titanium_blog.domain.errors import BlogError, PostNotFoundError
from titanium_blog.domain.listing import Listing
from titanium_blog.http.conditions import next_link, query_pairs
from titanium_blog.http.dependencies import blog_of
from titanium_blog.http.errors import STATUSES
from titanium_blog.http.rendering import STYLESHEET, STYLESHEET_ENTRY, html_page
from titanium_kit.cache import Entry
from titanium_kit.cache.responses import EntryResponse
from titanium_kit.context import current_request
from titanium_kit.problems import title_of

HTML = "text/html; charset=utf-8"
HOME = "/blog/"
CATEGORIES = 30
"""Chips above a list; the others are found at their posts."""
NOT_HERE = "There is no page at this address."
CURSOR = re.compile(PATTERN)
POST_ID = re.compile("[1-9][0-9]{0,18}")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")

P = ParamSpec("P")

router = APIRouter(include_in_schema=False)


def _error_page(status: int, detail: str, headers: dict[str, str] | None = None) -> Response:
    body = html_page(
        "error.html",
        status=status,
        title=title_of(status),
        detail=detail,
        request_id=current_request.get().request_id,
    )
    return Response(body, status, {"Cache-Control": "no-store", **(headers or {})}, HTML)


def errors_as_pages(handler: Callable[P, Awaitable[Response]]) -> Callable[P, Awaitable[Response]]:
    """A handler whose problems are pages for people."""

    @wraps(handler)
    async def wrapped(*args: P.args, **kwargs: P.kwargs) -> Response:
        try:
            return await handler(*args, **kwargs)
        except BlogError as error:
            return _error_page(STATUSES[type(error)], str(error))
        except HTTPException as error:
            return _error_page(error.status_code, error.detail, dict(error.headers or {}))

    return wrapped


def _text(request: Request, name: str, longest: int) -> str | None:
    """A parameter as somebody may have typed it: cut and cleaned instead of refused."""
    return CONTROL.sub(" ", request.query_params.get(name, "")[:longest]).strip() or None


def _listing(request: Request) -> Listing:
    cursor = request.query_params.get("cursor", "")
    return Listing(
        cursor=Cursor.decode(cursor) if CURSOR.fullmatch(cursor) else None,
        category=_text(request, "category", limits.CATEGORY_NAME * 2),
        author=_text(request, "author", limits.USERNAME),
        q=_text(request, "q", limits.QUERY),
    )


@router.get("/blog")
@router.head("/blog")
async def without_slash() -> Response:
    """The list has one address."""
    return RedirectResponse(HOME, 308)


@router.get(HOME)
@router.head(HOME)
@errors_as_pages
async def list_page(request: Request) -> Response:
    """Posts, categories and the search form."""
    blog = blog_of(request)
    listing = _listing(request)

    async def build() -> Entry:
        page = await blog.reader.page(listing)
        categories = await blog.reader.categories()
        body = html_page(
            "list.html",
            posts=page.rows,
            categories=categories[:CATEGORIES],
            category=next((c["name"] for c in categories if c["slug"] == listing.category), None),
            listing=listing,
            older=next_link(HOME, query_pairs(request), page.next) if page.next else None,
        )
        return Entry.of(body, HTML)

    names = (tags.POSTS, tags.CATEGORIES)
    return await blog.cache.respond(request.scope, names, build, shared=True)


@router.get("/blog/posts/{post_id}")
@router.head("/blog/posts/{post_id}")
@errors_as_pages
async def post_page(request: Request, post_id: str) -> Response:
    """One post."""
    if not POST_ID.fullmatch(post_id) or int(post_id) > limits.ID:
        return _error_page(404, NOT_HERE)
    number = int(post_id)
    blog = blog_of(request)

    async def build() -> Entry:
        post = await blog.reader.find(number)
        if post is None:
            raise PostNotFoundError(number)
        return Entry.of(html_page("post.html", post=post), HTML)

    return await blog.cache.respond(request.scope, (tags.post(number), tags.EVERY_POST), build)


@router.get(f"/blog/static/{STYLESHEET}")
@router.head(f"/blog/static/{STYLESHEET}")
async def stylesheet() -> Response:
    """May be kept for ever: another content has another name."""
    return EntryResponse(STYLESHEET_ENTRY)


@router.get("/blog/{path:path}")
@router.head("/blog/{path:path}")
async def anything_else() -> Response:
    """A page that says so."""
    return _error_page(404, NOT_HERE)
