"""Why a request about a session is refused; `titanium_auth.http.errors` turns these into HTTP."""

from __future__ import annotations


class AuthError(Exception):
    """The base of every refusal here; the message may be shown to the client."""


class WrongCredentialsError(AuthError):
    """Unknown name, wrong password or disabled account: never told apart."""


class ThrottledError(AuthError):
    """Too many failed logins; one more is heard after `retry_after` whole seconds."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class SessionEndedError(AuthError):
    """The refresh token opens no session: forged, expired, logged out or already used."""


class ConcurrentRefreshError(AuthError):
    """Another request is exchanging the same refresh token right now; its answer counts."""
