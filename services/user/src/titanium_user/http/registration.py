"""POST /api/register."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from titanium_kit.app import api_router
from titanium_user.http.dependencies import BODY_PROBLEMS, AccountsDep, private, problems
from titanium_user.http.schemas import RegisteredAccount, Registration

router = api_router(tags=["users"])

CREATED: dict[int | str, dict[str, Any]] = {
    201: {
        "description": "Created",
        "headers": {
            "Location": {
                "description": "The public profile.",
                "schema": {"type": "string"},
                "required": True,
            }
        },
    }
}


@router.post(
    "/api/register",
    status_code=201,
    summary="Register",
    responses={**CREATED, **problems(409, *BODY_PROBLEMS)},
)
async def register(
    body: Registration, accounts: AccountsDep, response: Response
) -> RegisteredAccount:
    """Make an account. Names and addresses are compared without regard to case."""
    account = await accounts.register(body.username, body.email, body.password)
    private(response)
    response.headers["Location"] = f"/api/users/{quote(account.username)}"
    return RegisteredAccount.model_validate(account)
