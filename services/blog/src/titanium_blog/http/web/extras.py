"""Static files, the choice of a language, and every other address below `/blog/`."""

from __future__ import annotations

import re

from fastapi import APIRouter, Request
from starlette.responses import Response

from titanium_blog.domain.language import LANGUAGES
from titanium_blog.http.web.assets import PREFIX, served
from titanium_blog.http.web.errors import error_page
from titanium_blog.http.web.language import set_cookie
from titanium_blog.http.web.rendering import HOME
from titanium_kit.cache.responses import EntryResponse

BACK = re.compile(r"/blog(?:/[\x21-\x5b\x5d-\x7e]*)?")
"""A path of this site with its query: no other host, no control characters, no backslash."""

OTHERS = ("cross-site", "same-site")
"""What browsers say (Sec-Fetch-Site) when another site leads here: it changes nothing."""

router = APIRouter(include_in_schema=False)


@router.get(f"{PREFIX}/{{name}}")
@router.head(f"{PREFIX}/{{name}}")
async def static(request: Request, name: str) -> Response:
    """May be kept for ever: another content has another name."""
    entry = served(name)
    return EntryResponse(entry) if entry else error_page(request, 404)


@router.get("/blog/language")
@router.head("/blog/language")
async def language(request: Request, to: str = "", back: str = HOME) -> Response:
    """Keeps the reader's own choice, and goes back to where it was made."""
    if to not in LANGUAGES:
        return error_page(request, 404)
    headers = {"Cache-Control": "no-store"}
    if request.headers.get("sec-fetch-site") not in OTHERS:
        headers["Set-Cookie"] = set_cookie(request.scope, to)
    place = back if BACK.fullmatch(back) and "//" not in back.partition("?")[0] else HOME
    return Response(status_code=303, headers={**headers, "Location": place})


@router.get("/blog/{path:path}")
@router.head("/blog/{path:path}")
async def anything_else(request: Request) -> Response:
    """A page that says so."""
    return error_page(request, 404)
