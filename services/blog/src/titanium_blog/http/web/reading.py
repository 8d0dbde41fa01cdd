"""Lists, posts, authors: what readers come for."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from titanium_blog.adapters.browsing import COUNTED
from titanium_blog.adapters.people import MISSED, SHOWN
from titanium_blog.domain import limits, tags
from titanium_blog.domain.errors import CategoryNotFoundError, PostNotFoundError
from titanium_blog.domain.hits import Wanted
from titanium_blog.domain.listing import Listing
from titanium_blog.http.conditions import next_link, query_pairs
from titanium_blog.http.dependencies import blog_of
from titanium_blog.http.web.errors import error_page, errors_as_pages
from titanium_blog.http.web.listing import found, listing_of, post_number
from titanium_blog.http.web.rendering import HOME, author_address, page, page_entry
from titanium_blog.http.web.sharing import linked_data, linked_profile
from titanium_kit.cache import Entry

CATEGORIES = 30
"""Chips above a list; the others are found at their posts."""
CONTENTS, DEPTH = 3, 3
"""A table of contents has so many headings at least, down to that level."""

router = APIRouter(include_in_schema=False)


@router.get("/blog")
@router.head("/blog")
async def without_slash() -> Response:
    """The list has one address."""
    return RedirectResponse(HOME, 308)


@router.get(HOME)
@router.head(HOME)
@errors_as_pages
async def list_page(request: Request) -> Response:
    """Posts, categories and what the search found."""
    blog = blog_of(request)
    listing = listing_of(request)
    wanted = Wanted(listing.q) if listing.q else None

    async def build() -> Entry:
        rows = await blog.reader.page(listing)
        if listing.category and not rows.rows and not await blog.reader.has(listing.category):
            raise CategoryNotFoundError
        categories = await blog.reader.categories()
        body = page(
            request,
            "list.html",
            posts=await found(blog.pages, wanted, rows.rows) if wanted else rows.rows,
            categories=categories[:CATEGORIES],
            category=next((c["name"] for c in categories if c["slug"] == listing.category), None),
            listing=listing,
            wanted=wanted,
            older=next_link(HOME, query_pairs(request), rows.next) if rows.next else None,
        )
        return page_entry(body)

    names = (tags.POSTS, tags.CATEGORIES)
    return await blog.cache.respond(request.scope, names, build, shared=True)


@router.get("/blog/posts/{post_id}")
@router.head("/blog/posts/{post_id}")
@errors_as_pages
async def post_page(request: Request, post_id: str) -> Response:
    """One post, and three to go on with."""
    number = post_number(post_id)
    if number is None:
        return error_page(request, 404)
    blog = blog_of(request)
    shown: list[str] = []

    async def build() -> Entry:
        post = await blog.reader.find(number)
        if post is None:
            raise PostNotFoundError(number)
        related = await blog.pages.related(post)
        shown.extend(tags.post(row["id"]) for row in related)
        article = await blog.articles.of_post(post.id, post.version, post.content)
        contents = [heading for heading in article.contents if heading.level <= DEPTH]
        body = page(
            request,
            "post.html",
            post=post,
            article=article,
            contents=contents if len(contents) >= CONTENTS else [],
            related=related,
            linked_data=linked_data(post, blog.site),
        )
        return page_entry(body)

    names = (tags.post(number), tags.EVERY_POST)
    return await blog.cache.respond(request.scope, names, build, found=shown)


@router.get("/blog/authors/{username}")
@router.head("/blog/authors/{username}")
@errors_as_pages
async def author_page(request: Request, username: str) -> Response:
    """Who somebody is, as far as their posts and the user service tell, and the posts."""
    if len(username) > limits.USERNAME or not username.isprintable():
        return error_page(request, 404)
    blog = blog_of(request)

    async def build() -> Entry:
        profile = await blog.pages.profile(username)
        if profile is None:
            raise PostNotFoundError(0)
        listing = Listing(cursor=listing_of(request).cursor, author=profile.username)
        rows, person = await asyncio.gather(
            blog.reader.page(listing), blog.people.find(profile.username)
        )
        address = author_address(profile.username)
        body = page(
            request,
            "author.html",
            profile=profile,
            person=person,
            linked_data=linked_profile(profile, person, blog.site),
            counted=COUNTED,
            posts=rows.rows,
            first=address if listing.cursor else None,
            older=next_link(address, query_pairs(request), rows.next) if rows.next else None,
        )
        return page_entry(body, max_age=SHOWN if person else MISSED)

    return await blog.cache.respond(request.scope, (tags.POSTS,), build)
