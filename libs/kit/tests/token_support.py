"""What the tests of tokens share: an auth service that can fail or lie, and forged tokens."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from typing import Any

import jwt
import pytest

from titanium_kit.testing import LocalIssuer


class Auth(LocalIssuer):
    """The auth service as seen from here: it counts, and can fail or lie."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = {"jwks": 0, "revocations": 0}
        self.error: Exception | None = None
        self.document: Any = None
        self.news: Any = None

    async def jwks(self) -> dict[str, Any]:
        self.calls["jwks"] += 1
        await asyncio.sleep(0)
        if self.error:
            raise self.error
        document: dict[str, Any] = self.document or await super().jwks()
        return document

    async def revocations(self, after: int) -> dict[str, Any]:
        self.calls["revocations"] += 1
        await asyncio.sleep(0)
        if self.error:
            raise self.error
        news: dict[str, Any] = self.news or await super().revocations(after)
        return news


class Clock:
    """Both clocks of the verifier, to be moved by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.offset = 0.0
        real, wall = time.monotonic, time.time
        monkeypatch.setattr(time, "monotonic", lambda: real() + self.offset)
        monkeypatch.setattr(time, "time", lambda: wall() + self.offset)


def part(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def forge(auth: Auth, header: dict[str, Any], key: Any = None, **claims: Any) -> str:
    """A token with exactly this header, signed with auth's real key or `key`."""
    body = jwt.decode(auth.token(7, "hana"), options={"verify_signature": False})
    text = f"{part({**header})}.{part({**body, **claims})}"
    return f"{text}.{part((key or auth.key).sign(text.encode()))}"
