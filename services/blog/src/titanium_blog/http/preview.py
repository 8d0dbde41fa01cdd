"""`POST /api/preview`: how a text will look, rendered as the post's page renders it."""

from __future__ import annotations

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from titanium_blog.http.dependencies import blog_of
from titanium_blog.http.schemas import Content
from titanium_kit.app import FastJSONResponse, api_router
from titanium_kit.problems import problem_responses
from titanium_kit.tokens import CurrentUser


class PreviewIn(BaseModel):
    """What to render; other members are ignored."""

    model_config = ConfigDict(extra="ignore")

    content: Content


class PreviewOut(BaseModel):
    """The rendered text."""

    content_html: str = Field(description="Sanitized HTML, as on the post's page.")


router = api_router(prefix="/api/preview", tags=["posts"])


@router.post(
    "",
    operation_id="previewPost",
    summary="Render Markdown as a post's page shows it",
    response_model=PreviewOut,
    responses=problem_responses(400, 401, 413, 415, 503),
)
async def preview(request: Request, _user: CurrentUser, body: PreviewIn) -> Response:
    """The rendered text; nothing is kept."""
    article = await blog_of(request).articles.render(body.content)
    headers = {"Cache-Control": "no-store"}
    return FastJSONResponse({"content_html": article.html}, headers=headers)
