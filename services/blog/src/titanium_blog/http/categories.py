"""`/api/categories`."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from titanium_blog.domain import tags
from titanium_blog.http.dependencies import blog_of
from titanium_blog.http.posts import JSON, NOT_MODIFIED
from titanium_blog.http.representation import categories
from titanium_blog.http.schemas import CONDITIONAL, CategoryCount
from titanium_kit.app import api_router
from titanium_kit.cache import Entry
from titanium_kit.problems import problem_responses

router = api_router(prefix="/api/categories", tags=["posts"])


@router.get(
    "",
    operation_id="listCategories",
    summary="List categories",
    response_model=list[CategoryCount],
    responses={**NOT_MODIFIED, **problem_responses(503)},
    openapi_extra=CONDITIONAL,
)
@router.head("", include_in_schema=False)
async def list_categories(request: Request) -> Response:
    """Categories with posts, the largest first, at most a thousand."""
    blog = blog_of(request)

    async def build() -> Entry:
        return Entry.of(categories(await blog.reader.categories()), JSON)

    return await blog.cache.respond(request.scope, (tags.CATEGORIES,), build, shared=True)
