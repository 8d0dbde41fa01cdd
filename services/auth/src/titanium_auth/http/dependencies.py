"""What routes take from the application."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from titanium_auth.adapters.key_ring import KeyRing
from titanium_auth.adapters.revocations import PostgresRevocations
from titanium_auth.domain.sessions import Sessions, arrival
from titanium_auth.settings import AuthSettings
from titanium_kit.tokens import InvalidTokenError, check_token, read_header

_bearer = HTTPBearer(bearerFormat="JWT", auto_error=False)


def _settings(request: Request) -> AuthSettings:
    settings: AuthSettings = request.app.state.settings
    return settings


def _sessions(request: Request) -> Sessions:
    sessions: Sessions = request.app.state.sessions
    return sessions


def _key_ring(request: Request) -> KeyRing:
    ring: KeyRing = request.app.state.key_ring
    return ring


def _revocations(request: Request) -> PostgresRevocations:
    revocations: PostgresRevocations = request.app.state.revocations
    return revocations


async def _arrived() -> float:
    return arrival()


Settings = Annotated[AuthSettings, Depends(_settings)]
TheSessions = Annotated[Sessions, Depends(_sessions)]
Ring = Annotated[KeyRing, Depends(_key_ring)]
RevocationList = Annotated[PostgresRevocations, Depends(_revocations)]
Arrived = Annotated[float, Depends(_arrived)]


async def client_address(request: Request, settings: Settings) -> str:
    """The client's address as the outermost proxy of ours saw it.

    Proxies append to X-Forwarded-For, so what a client writes there itself stays on the left of
    the `trusted_hops` elements that count. A caller inside the mesh has none: "direct".
    """
    lines = request.headers.getlist("x-forwarded-for")
    hops = [part.strip() for line in lines for part in line.split(",") if part.strip()]
    if not hops:
        return "direct"
    return hops[max(0, len(hops) - settings.trusted_hops)]


ClientAddress = Annotated[str, Depends(client_address)]


async def bearer_session(
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    ring: Ring,
    settings: Settings,
) -> UUID | None:
    """The session of a genuine, unexpired access token, ended or not; None without one."""
    if credentials is None:
        return None
    try:
        key = ring.public_key(read_header(credentials.credentials)["kid"])
        if key is None:
            return None
        identity = check_token(
            credentials.credentials,
            key,
            issuer=settings.token_issuer,
            audience=settings.token_audience,
        )
        return UUID(identity.session_id)
    except (InvalidTokenError, ValueError):
        return None


BearerSession = Annotated[UUID | None, Depends(bearer_session)]
