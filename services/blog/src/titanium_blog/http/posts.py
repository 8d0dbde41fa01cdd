"""`/api/posts`."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from starlette.responses import Response

from titanium_blog.domain import limits, tags
from titanium_blog.domain.errors import PostNotFoundError
from titanium_blog.http.conditions import next_link, query_pairs, wanted_versions
from titanium_blog.http.dependencies import TheListing, author_of, blog_of
from titanium_blog.http.representation import post_etag, summaries, whole_post
from titanium_blog.http.schemas import (
    CONDITIONAL,
    IdempotencyKey,
    IfMatch,
    PostChanges,
    PostId,
    PostIn,
    PostSummary,
    PostWhole,
)
from titanium_kit.app import api_router
from titanium_kit.cache import Entry
from titanium_kit.problems import problem_responses
from titanium_kit.tokens import CurrentUser

JSON = "application/json"
PATH = "/api/posts"

_text = {"type": "string"}
ETAG = {"ETag": {"description": "The post's version.", "schema": _text}}
LOCATION = {"Location": {"description": "The new post's address.", "schema": _text}}
LINK = {"Link": {"description": "`rel=next`: the next page, if there is one.", "schema": _text}}
NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": "You have it already."}}
WRITE_PROBLEMS = problem_responses(400, 401, 403, 413, 415, 503)

router = api_router(prefix=PATH, tags=["posts"])


def _post_response(post: Any, status: int, **headers: str) -> Response:
    headers = {"ETag": post_etag(post.version), "Cache-Control": "no-cache", **headers}
    return Response(whole_post(post), status, headers, JSON)


@router.get(
    "/{post_id}",
    operation_id="readPost",
    summary="Read a post",
    response_model=PostWhole,
    responses={200: {"headers": ETAG}, **NOT_MODIFIED, **problem_responses(404, 503)},
    openapi_extra=CONDITIONAL,
)
async def read_post(request: Request, post_id: PostId) -> Response:
    """The whole post."""
    blog = blog_of(request)

    async def build() -> Entry:
        post = await blog.reader.find(post_id)
        if post is None:
            raise PostNotFoundError(post_id)
        return Entry.of(whole_post(post), JSON, etag=post_etag(post.version))

    names = (tags.post(post_id), tags.EVERY_POST)
    return await blog.cache.respond(request.scope, names, build)


@router.get(
    "",
    operation_id="listPosts",
    summary="List or search posts",
    response_model=list[PostSummary],
    responses={200: {"headers": LINK}, **NOT_MODIFIED, **problem_responses(503)},
    openapi_extra=CONDITIONAL,
)
async def list_posts(request: Request, listing: TheListing) -> Response:
    """Newest first; with `q` the best match first."""
    blog = blog_of(request)

    async def build() -> Entry:
        page = await blog.reader.page(listing)
        headers = {}
        if page.next:
            target = next_link(PATH, query_pairs(request), page.next)
            headers["Link"] = f'<{target}>; rel="next"'
        return Entry.of(summaries(page.rows), JSON, headers=headers)

    return await blog.cache.respond(request.scope, (tags.POSTS,), build, shared=True)


@router.post(
    "",
    operation_id="createPost",
    summary="Publish a post",
    status_code=201,
    response_model=PostWhole,
    responses={201: {"headers": {**LOCATION, **ETAG}}, **WRITE_PROBLEMS},
)
async def create_post(
    request: Request, user: CurrentUser, body: PostIn, idempotency_key: IdempotencyKey = None
) -> Response:
    """The whole post.

    With a header `Idempotency-Key` (1 to 200 visible characters, your name for this request), the
    same request sent again within 24 hours gets the same answer and makes nothing new; with
    another body it is refused with 422.
    """
    post = await blog_of(request).writer.create(author_of(user), body.draft(), idempotency_key)
    return _post_response(post, 201, Location=f"{PATH}/{post.id}")


@router.patch(
    "/{post_id}",
    operation_id="changePost",
    summary="Change your post",
    response_model=PostWhole,
    responses={200: {"headers": ETAG}, **WRITE_PROBLEMS, **problem_responses(404, 412)},
)
async def change_post(
    request: Request,
    user: CurrentUser,
    post_id: PostId,
    body: PostChanges,
    if_match: IfMatch = None,
) -> Response:
    """The whole post after the change.

    With a header `If-Match` (the ETag of the version that you read), a post that has changed since
    is left alone: 412.
    """
    changes, versions = body.changes(), wanted_versions(if_match)
    post = await blog_of(request).writer.change(author_of(user), post_id, changes, versions)
    return _post_response(post, 200)


@router.delete(
    "/{post_id}",
    operation_id="deletePost",
    summary="Delete your post",
    status_code=204,
    response_class=Response,
    responses={**problem_responses(401, 403, 404, 412, 503)},
)
async def delete_post(
    request: Request, user: CurrentUser, post_id: PostId, if_match: IfMatch = None
) -> Response:
    """Nothing. With a header `If-Match`, a post that has changed since is left alone: 412."""
    await blog_of(request).writer.delete(author_of(user), post_id, wanted_versions(if_match))
    return Response(status_code=204)


# The router tries these one after the other: what is asked most is at the top, HEAD at the bottom.
router.head("", include_in_schema=False)(list_posts)
router.head("/{post_id}", include_in_schema=False)(read_post)

internal = api_router(prefix="/internal/authors", include_in_schema=False)


@internal.delete("/{user_id}", status_code=204, response_class=Response)
async def remove_author(request: Request, user_id: PostId) -> Response:
    """Deletes the posts of an account that was deleted; called by `user` until it succeeds."""
    await blog_of(request).writer.remove_author(min(user_id, limits.ID))
    return Response(status_code=204)
