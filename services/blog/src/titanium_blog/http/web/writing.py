"""The pages for writers: forms and the editor, which scripts in `static/js/` bring to life.

They hold nothing of the person who asks: whoever may do what is for the API to say.
"""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from titanium_blog.domain import limits
from titanium_blog.http.dependencies import blog_of
from titanium_blog.http.web.errors import error_page
from titanium_blog.http.web.listing import post_number
from titanium_blog.http.web.rendering import page, page_entry
from titanium_kit.cache import Entry


@dataclass(frozen=True, slots=True)
class FormLimits:
    """Bounds that forms check before the API does; a test compares those of `user` with it."""

    username_min: int = 2
    username_max: int = 30
    username: str = r"^[A-Za-z0-9가-힣_-][A-Za-z0-9가-힣_.-]*$"
    email_max: int = 254
    email: str = (
        r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,8}$"
    )
    password_min: int = 8
    password_max: int = 256
    display_name_max: int = 60
    bio_max: int = 2000
    title_max: int = limits.TITLE
    category_max: int = limits.CATEGORY_NAME
    content_max: int = limits.CONTENT


FORM_LIMITS = FormLimits()

router = APIRouter(include_in_schema=False)


async def _shell(request: Request, template: str, post_id: int | None = None) -> Response:
    async def build() -> Entry:
        return page_entry(page(request, template, limits=FORM_LIMITS, post_id=post_id))

    return await blog_of(request).cache.respond(request.scope, (), build)


@router.get("/blog/posts/{post_id}/edit")
@router.head("/blog/posts/{post_id}/edit")
async def edit_page(request: Request, post_id: str) -> Response:
    """The editor with a post, which its script fetches."""
    number = post_number(post_id)
    return await _shell(request, "editor.html", number) if number else error_page(request, 404)


def _add(path: str, template: str) -> None:
    async def shell(request: Request) -> Response:
        return await _shell(request, template)

    for method in ("GET", "HEAD"):
        router.add_api_route(path, shell, methods=[method])


for _path, _template in {
    "/blog/write": "editor.html",
    "/blog/register": "register.html",
    "/blog/login": "login.html",
    "/blog/account": "account.html",
}.items():
    _add(_path, _template)
