"""GET /api/users/{username}: public profiles, cached."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path
from starlette.requests import Request
from starlette.responses import Response

from titanium_kit.app import api_router
from titanium_kit.cache import Entry
from titanium_user.adapters.profiles import profile_tag
from titanium_user.domain.names import USERNAME_MAX, USERNAME_MIN, USERNAME_PATTERN
from titanium_user.http.dependencies import AccountsDep, CacheDep, problems
from titanium_user.http.schemas import PublicProfile

router = api_router(tags=["users"])

ETAG = {"ETag": {"description": "Of this profile.", "schema": {"type": "string"}, "required": True}}
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"model": PublicProfile, "headers": ETAG},
    304: {"description": "Not modified: If-None-Match names it", "headers": ETAG},
}
Name = Annotated[
    str,
    Path(
        description="In any case.",
        # Documented and not enforced here: a name that cannot be is a name that nobody has, 404.
        json_schema_extra={
            "minLength": USERNAME_MIN,
            "maxLength": USERNAME_MAX,
            "pattern": USERNAME_PATTERN,
        },
    ),
]


@router.head("/api/users/{username}", include_in_schema=False)
@router.get(
    "/api/users/{username}",
    summary="Public profile",
    response_model=None,
    responses={**ANSWERS, **problems(404)},
)
async def profile(
    username: Name, request: Request, accounts: AccountsDep, cache: CacheDep
) -> Response:
    """What everybody may see of a user: no e-mail address."""

    async def build() -> Entry:
        account = await accounts.profile(username)
        body = PublicProfile.model_validate(account).model_dump_json()
        return Entry.of(body.encode(), "application/json")

    return await cache.respond(request.scope, (profile_tag(username),), build)
