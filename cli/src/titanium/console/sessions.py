"""Who may see the console: the operator's token, and the sessions that it opens."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable

# A session ends after this many seconds, or when the token is replaced.
LIFETIME = 14 * 24 * 3600
GUESSES = 10
GUESS_EVERY = 6.0


class Sessions:
    """Opens and checks sessions without keeping them: a session is a time and a signature.

    The key comes from the token, so that sessions survive a restart of the console and end
    with a new token; the token itself never leaves the server.
    """

    def __init__(self, token: str, now: Callable[[], float] = time.time) -> None:
        self._digest = hashlib.sha256(token.encode()).digest()
        self._key = hmac.digest(token.encode(), b"titanium console session v1", "sha256")
        self._now = now

    def is_token(self, candidate: str) -> bool:
        """Whether this is the operator's token; the time it takes tells nothing."""
        digest = hashlib.sha256(candidate.encode("utf-8", "surrogatepass")).digest()
        return hmac.compare_digest(digest, self._digest)

    def open(self) -> str:
        """The value of a new session's cookie."""
        head = f"{int(self._now())}.{secrets.token_urlsafe(16)}"
        return f"{head}.{self._sign(head)}"

    def holds(self, value: str) -> bool:
        """Whether `value` is a session that was opened with this token and has not ended."""
        head, _, signature = value.rpartition(".")
        if not hmac.compare_digest(self._sign(head).encode(), signature.encode("utf-8", "replace")):
            return False
        began = int(head.split(".", 1)[0])
        return -60 <= self._now() - began < LIFETIME

    def _sign(self, head: str) -> str:
        return hmac.new(self._key, head.encode("utf-8", "replace"), "sha256").hexdigest()


class Throttle:
    """Bounds wrong guesses, whoever makes them: `GUESSES` at once, then one every six seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._left = float(GUESSES)
        self._at = now()

    def wait(self) -> float:
        """Seconds until the next guess may be made; 0: now."""
        now = self._now()
        self._left = min(float(GUESSES), self._left + (now - self._at) / GUESS_EVERY)
        self._at = now
        return 0.0 if self._left >= 1 else (1 - self._left) * GUESS_EVERY

    def wrong(self) -> None:
        """A guess was wrong."""
        self._left = max(0.0, self._left - 1)
