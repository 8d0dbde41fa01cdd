"""Login, refresh and logout."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID

from titanium_auth.domain.errors import SessionEndedError, ThrottledError, WrongCredentialsError
from titanium_auth.domain.models import Grant, Session
from titanium_auth.domain.ports import AccessTokens, Credentials, FailureLog, SessionStore
from titanium_auth.domain.refresh import RefreshToken, RefreshTokens
from titanium_auth.domain.throttle import Attempt

TOO_MANY = "Too many failed logins. Try again later."
WRONG = "The username or the password is wrong."
ENDED = "There is no such session any more. Log in again."


class Sessions:
    """The use cases. Raises what `titanium_auth.domain.errors` names."""

    def __init__(
        self,
        *,
        credentials: Credentials,
        failures: FailureLog,
        store: SessionStore,
        access_tokens: AccessTokens,
        refresh_tokens: RefreshTokens,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._credentials = credentials
        self._failures = failures
        self._store = store
        self._access_tokens = access_tokens
        self._refresh_tokens = refresh_tokens
        self._sleep = sleep

    async def login(self, username: str, password: str, address: str) -> Grant:
        """A new session for the right password, unless too many logins failed before.

        Raises `WrongCredentialsError` or `ThrottledError`.
        """
        attempt = Attempt.of(username, address)
        await self._refuse_throttled(attempt)
        account = await self._credentials.verify(username, password)
        if account is None:
            wait = await self._failures.add(attempt)
            if wait:
                raise ThrottledError(TOO_MANY, wait)
            raise WrongCredentialsError(WRONG)
        # Guesses that ran beside this one may have used the limit up: then nobody learns more.
        await self._refuse_throttled(attempt)
        first = self._refresh_tokens.first()
        session = await self._store.open(account, first.family, attempt)
        if session is None:
            raise WrongCredentialsError(WRONG)
        return self._grant(session, first)

    async def refresh(self, text: str, arrived: float) -> Grant:
        """The successor of a refresh token that arrived at `arrived` (`time.monotonic()`).

        Raises `SessionEndedError` or `ConcurrentRefreshError`.
        """
        token = self._refresh_tokens.read(text)
        if token is None:
            raise SessionEndedError(ENDED)
        rotation = await self._store.rotate(token.family, token.generation, arrived)
        while wait := await self._store.release(rotation):
            await self._sleep(wait)
        successor = RefreshToken(token.secret, rotation.generation)
        return self._grant(rotation.session, successor)

    async def logout(self, session_id: UUID) -> None:
        """End a session; once more does no harm."""
        await self._store.end(session_id)

    async def logout_by_refresh_token(self, text: str) -> bool:
        """End the session of a refresh token of any generation; False when it is not genuine."""
        token = self._refresh_tokens.read(text)
        if token is None:
            return False
        await self._store.end_family(token.family)
        return True

    async def end_older(self, user_id: int, epoch: int) -> None:
        """End what an account opened under an older epoch (see `SessionStore.end_older`)."""
        await self._store.end_older(user_id, epoch)

    async def _refuse_throttled(self, attempt: Attempt) -> None:
        wait = (await self._failures.standing(attempt)).wait()
        if wait:
            raise ThrottledError(TOO_MANY, wait)

    def _grant(self, session: Session, refresh_token: RefreshToken) -> Grant:
        access_token, seconds = self._access_tokens.issue(session)
        left = (session.expires_at - datetime.now(UTC)).total_seconds()
        return Grant(
            access_token=access_token,
            access_seconds=seconds,
            refresh_token=self._refresh_tokens.write(refresh_token),
            refresh_seconds=max(0, math.ceil(left)),
        )


def arrival() -> float:
    """The time to hand to `Sessions.refresh`; take it as early as possible."""
    return time.monotonic()
