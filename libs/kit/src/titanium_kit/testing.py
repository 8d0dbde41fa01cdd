"""Helpers for tests of services: an application with its lifespan, the peers that its egress leads
to, and tokens it accepts."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI
from jwt.algorithms import OKPAlgorithm
from starlette.types import ASGIApp

from titanium_kit.tokens.claims import ALGORITHM, TYPE


@asynccontextmanager
async def serving(app: FastAPI, base_url: str = "http://test") -> AsyncIterator[httpx2.AsyncClient]:
    """A client of `app` in this process, between its start and its stop."""
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url=base_url) as client,
    ):
        yield client


@asynccontextmanager
async def listening(app: ASGIApp, socket: Path) -> AsyncIterator[None]:
    """`app` on a Unix socket, in this event loop; at the end no request is waited for."""
    config = uvicorn.Config(app, uds=str(socket), lifespan="off", log_config=None, ws="none")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve())  # noqa: SLF001 - serve() would take the signals
    try:
        while not (server.started or task.done()):  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.005)
        if task.done():
            await task  # says why
            raise RuntimeError(f"nothing listens on {socket}")
        yield
    finally:
        server.should_exit = server.force_exit = True
        await task


class LocalIssuer:
    """Signs access tokens and publishes its key: a `TokenSource` without the auth service."""

    def __init__(self, issuer: str = "titanium", audience: str = "titanium-api") -> None:
        self.key = Ed25519PrivateKey.generate()
        self.kid = uuid.uuid4().hex
        self.revoked: list[dict[str, Any]] = []
        self._issuer = issuer
        self._audience = audience

    async def jwks(self) -> dict[str, Any]:
        public: dict[str, Any] = OKPAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {"keys": [{**public, "kid": self.kid, "use": "sig", "alg": ALGORITHM}]}

    async def revocations(self, after: int) -> dict[str, Any]:
        return {"last": len(self.revoked), "revoked": self.revoked[after:]}

    def token(self, user_id: int, username: str, **claims: Any) -> str:
        """A valid token; keyword arguments replace claims."""
        now = int(time.time())
        body = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": str(user_id),
            "username": username,
            "sid": uuid.uuid4().hex,
            "jti": uuid.uuid4().hex,
            "iat": now,
            "nbf": now,
            "exp": now + 900,
            **claims,
        }
        headers = {"kid": self.kid, "typ": TYPE}
        return jwt.encode(body, self.key, algorithm=ALGORITHM, headers=headers)

    def bearer(self, user_id: int, username: str, **claims: Any) -> dict[str, str]:
        """The Authorization header with such a token."""
        return {"Authorization": f"Bearer {self.token(user_id, username, **claims)}"}
