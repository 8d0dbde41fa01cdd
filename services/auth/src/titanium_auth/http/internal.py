"""What the other services call; the gateway never routes it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Response

from titanium_auth.http.dependencies import RevocationList, TheSessions
from titanium_auth.http.schemas import BIGINT, RevocationsAnswer, RevokeRequest
from titanium_kit.app import api_router


def internal_router() -> APIRouter:
    """The routes."""
    router = api_router(prefix="/internal", include_in_schema=False)

    @router.post("/sessions/revoke", status_code=204, response_class=Response)
    async def revoke(body: RevokeRequest, sessions: TheSessions) -> None:
        """End every session that the account opened under an older epoch; refuse later ones."""
        await sessions.end_older(body.user_id, body.epoch)

    @router.get("/revocations")
    async def revocations(
        listed: RevocationList, after: Annotated[int, Query(ge=0, le=BIGINT)] = 0
    ) -> RevocationsAnswer:
        """Ended sessions in the order in which they ended."""
        return RevocationsAnswer.model_validate(asdict(await listed.after(after)))

    return router
