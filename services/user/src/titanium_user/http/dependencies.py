"""What the routes need, in one place."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.responses import Response

from titanium_kit.cache import ResponseCache
from titanium_kit.problems import problem_responses
from titanium_user.domain.accounts import AccountService

BODY_PROBLEMS = (400, 413, 415, 422)
"""What a route with a request body may answer before it looks at the members."""


def private(response: Response) -> None:
    """Keep an answer out of every cache."""
    response.headers["Cache-Control"] = "no-store"


def get_accounts(request: Request) -> AccountService:
    """The use cases that `create_app` put together."""
    service: AccountService = request.app.state.accounts
    return service


def get_cache(request: Request) -> ResponseCache:
    """The cache of public profiles."""
    cache: ResponseCache = request.app.state.cache
    return cache


AccountsDep = Annotated[AccountService, Depends(get_accounts)]
CacheDep = Annotated[ResponseCache, Depends(get_cache)]


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of a route: these problems, and 503 that every route may answer."""
    return problem_responses(*sorted({*statuses, 503}))
