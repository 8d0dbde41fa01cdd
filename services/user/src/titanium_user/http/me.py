"""/api/users/me: the caller's own account."""

from __future__ import annotations

from fastapi import Depends, Response

from titanium_kit.app import api_router
from titanium_kit.tokens import CurrentUser
from titanium_user.domain.models import ProfileChanges
from titanium_user.http.dependencies import BODY_PROBLEMS, AccountsDep, private, problems
from titanium_user.http.schemas import Confirmation, OwnAccount, PasswordChange, ProfileUpdate

router = api_router(
    prefix="/api/users/me",
    tags=["users"],
    dependencies=[Depends(private)],
    responses=problems(401),
)


@router.head("", include_in_schema=False)
@router.get("", summary="Own account")
async def read(user: CurrentUser, accounts: AccountsDep) -> OwnAccount:
    """The caller's account."""
    return OwnAccount.of(await accounts.own(user.user_id))


@router.patch("", summary="Change own account", responses=problems(409, *BODY_PROBLEMS))
async def update(body: ProfileUpdate, user: CurrentUser, accounts: AccountsDep) -> OwnAccount:
    """Change some of e-mail address, display name and bio; the username never changes."""
    changes = ProfileChanges(**body.model_dump(exclude_unset=True))
    return OwnAccount.of(await accounts.update(user.user_id, changes))


@router.delete(
    "",
    status_code=204,
    response_class=Response,
    summary="Delete own account",
    responses=problems(403, 429, *BODY_PROBLEMS),
)
async def delete(body: Confirmation, user: CurrentUser, accounts: AccountsDep) -> None:
    """Delete the account, its sessions and its posts, for ever. 403 when the password is wrong."""
    await accounts.delete(user.user_id, body.password)


@router.put(
    "/password",
    status_code=204,
    response_class=Response,
    summary="Change own password",
    responses=problems(403, 429, *BODY_PROBLEMS),
)
async def change_password(body: PasswordChange, user: CurrentUser, accounts: AccountsDep) -> None:
    """Change the password; every session ends. 403 when the current password is wrong."""
    await accounts.change_password(user.user_id, body.current_password, body.new_password)
