"""For programs: the Atom feed, the sitemap, robots.txt. Addresses in them are whole ones."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from fastapi import APIRouter, Request
from starlette.responses import Response

from titanium_blog.domain import tags
from titanium_blog.domain.listing import Listing
from titanium_blog.http.dependencies import blog_of
from titanium_blog.http.web.errors import errors_as_pages
from titanium_blog.http.web.listing import listing_of
from titanium_blog.http.web.rendering import page, page_entry
from titanium_kit.cache import Entry

ATOM, XML = "application/atom+xml; charset=utf-8", "application/xml; charset=utf-8"
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, even escaped."""

router = APIRouter(include_in_schema=False)


def _xml(request: Request, template: str, media_type: str, **context: object) -> Entry:
    text = NOT_XML.sub("", page(request, template, **context).decode())
    return page_entry(text.encode(), media_type)


@router.get("/blog/feed.xml")
@router.head("/blog/feed.xml")
@errors_as_pages
async def feed(request: Request) -> Response:
    """The newest posts, of a category or an author where one is named, with their whole text."""
    blog = blog_of(request)
    asked = listing_of(request)
    listing = Listing(category=asked.category, author=asked.author)

    async def build() -> Entry:
        rows = (await blog.reader.page(listing)).rows
        return _xml(
            request,
            "feed.xml",
            ATOM,
            listing=listing,
            posts=rows,
            bodies=await blog.pages.bodies([row["id"] for row in rows]),
            updated=max((row["updated_at"] for row in rows), default=NEVER),
            category=rows[0]["category_name"] if rows and listing.category else listing.category,
        )

    return await blog.cache.respond(request.scope, (tags.POSTS,), build, shared=True)


@router.get("/blog/sitemap.xml")
@router.head("/blog/sitemap.xml")
@errors_as_pages
async def sitemap(request: Request) -> Response:
    """The list, the categories and the 10,000 newest posts; older ones are reached from lists."""
    blog = blog_of(request)

    async def build() -> Entry:
        posts = await blog.pages.addresses()
        categories = await blog.reader.categories()
        return _xml(request, "sitemap.xml", XML, posts=posts, categories=categories)

    names = (tags.POSTS, tags.CATEGORIES)
    return await blog.cache.respond(request.scope, names, build, shared=True)


@router.get("/robots.txt")
@router.head("/robots.txt")
async def robots(request: Request) -> Response:
    """What crawlers may read, and where the sitemap is."""
    lines = (
        "User-agent: *",
        "Disallow: /api/",
        "Disallow: /blog/account",
        "Disallow: /blog/language",
        "Disallow: /blog/login",
        "Disallow: /blog/register",
        "Disallow: /blog/write",
        "Disallow: /blog/posts/*/edit",
        "Disallow: /blog/*?q=",
        "",
        f"Sitemap: {blog_of(request).site}/blog/sitemap.xml",
        "",
    )
    headers = {"Cache-Control": "public, max-age=3600"}
    return Response("\n".join(lines), headers=headers, media_type="text/plain; charset=utf-8")
