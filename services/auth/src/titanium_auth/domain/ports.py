"""What the use cases need from outside; adapters implement these and tests fake them.

Every method may raise `titanium_kit.problems.Unavailable`: then nothing may be assumed done.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from titanium_auth.domain.models import Account, Session
from titanium_auth.domain.throttle import Attempt, Standing


class Credentials(Protocol):
    """The user service's view of a name and a password."""

    async def verify(self, username: str, password: str) -> Account | None:
        """The account, or None for every kind of mismatch."""


class FailureLog(Protocol):
    """Failed logins, counted across replicas."""

    async def standing(self, attempt: Attempt) -> Standing:
        """The failures that count against `attempt` now."""

    async def add(self, attempt: Attempt) -> int:
        """Record a failure and return 0; or, at a limit, record nothing and return the wait (s).

        Parallel calls for one name or address take turns, so no limit is ever passed.
        """


class AccessTokens(Protocol):
    """Signs access tokens."""

    def issue(self, session: Session) -> tuple[str, int]:
        """(token, whole seconds that it lives)."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """A family moved to `generation` by one winner, whose answer is held back."""

    session: Session
    generation: int
    rotated_at: datetime


class SessionStore(Protocol):
    """Sessions and their refresh-token families."""

    async def open(self, account: Account, family: bytes, attempt: Attempt) -> Session | None:
        """A new session; None when the account's sessions were ended after `account` was read.

        Also remembers that the account is known at the attempt's address.
        """

    async def rotate(self, family: bytes, generation: int, arrived: float) -> Rotation:
        """Exchange `generation`, presented at `arrived` (`time.monotonic()`), for the next one.

        Raises `SessionEndedError` (also for reuse, after ending the family) and
        `ConcurrentRefreshError`, as `titanium_auth.domain.refresh.judge` says.
        """

    async def release(self, rotation: Rotation) -> float:
        """Seconds that the winner has to wait before it asks again; 0.0: it may answer now.

        Raises `SessionEndedError` when the session ended meanwhile, `ConcurrentRefreshError` when
        another request took over.
        """

    async def end(self, session_id: UUID) -> None:
        """End one session everywhere; nothing happens when it has ended already."""

    async def end_family(self, family: bytes) -> None:
        """The same, by its refresh tokens."""

    async def end_older(self, user_id: int, epoch: int) -> None:
        """End the account's sessions opened under an epoch below `epoch`, and refuse later ones."""
