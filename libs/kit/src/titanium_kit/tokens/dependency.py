"""The bearer token as a FastAPI dependency."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from titanium_kit.problems import Unauthorized
from titanium_kit.tokens.claims import Identity
from titanium_kit.tokens.verifier import TokenVerifier

_bearer = HTTPBearer(bearerFormat="JWT", auto_error=False)


async def current_user(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Identity:
    """The caller's identity. The application keeps its verifier in `app.state.verifier`."""
    if credentials is None:
        raise Unauthorized("Send an access token: `Authorization: Bearer ...`.")
    verifier: TokenVerifier = request.app.state.verifier
    return await verifier.verify(credentials.credentials)


CurrentUser = Annotated[Identity, Depends(current_user)]
