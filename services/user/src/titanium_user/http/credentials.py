"""POST /internal/credentials/verify: for auth alone; the mesh lets nobody else call it."""

from __future__ import annotations

from titanium_kit.app import api_router
from titanium_user.http.dependencies import AccountsDep
from titanium_user.http.schemas import LoginAttempt, VerifiedUser

router = api_router(prefix="/internal/credentials", include_in_schema=False)


@router.post("/verify")
async def verify(body: LoginAttempt, accounts: AccountsDep) -> VerifiedUser:
    """Whose credentials these are; 401 with one body for every reason."""
    return VerifiedUser.model_validate(await accounts.verify(body.username, body.password))
