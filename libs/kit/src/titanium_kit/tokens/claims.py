"""The access token: a JWT of type `at+jwt` (RFC 9068), signed with Ed25519 (EdDSA).

Header: exactly `alg`, `kid`, `typ`. Claims: `iss`, `aud`, `sub` (account id, decimal), `username`,
`sid` (session id), `jti`, `iat`, `nbf`, `exp`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt

ALGORITHM = "EdDSA"
TYPE = "at+jwt"
MAX_LENGTH = 4096
MAX_LIFETIME = 15 * 60
LEEWAY = 5
SUBJECT = re.compile(r"[0-9]{1,18}")
REQUIRED = ["iss", "aud", "sub", "sid", "username", "jti", "iat", "nbf", "exp"]


class InvalidTokenError(Exception):
    """The token is not one of ours, or no longer; the message may be shown."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a valid access token speaks for; `expires` is in seconds since the epoch."""

    user_id: int
    username: str
    session_id: str
    expires: float


def read_header(token: str) -> Mapping[str, Any]:
    """The header of `token` when it has the only form accepted here; no key is looked up yet.

    A header that brings its own key (`jwk`, `jku`, `x5u`, ...) or another algorithm is refused.
    """
    if len(token) > MAX_LENGTH:
        raise InvalidTokenError("The token is too long.")
    try:
        header: Mapping[str, Any] = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise InvalidTokenError("The token is malformed.") from None
    if set(header) != {"alg", "kid", "typ"} or not isinstance(header["kid"], str):
        raise InvalidTokenError("The token's header is not acceptable.")
    if header["alg"] != ALGORITHM or header["typ"] != TYPE:
        raise InvalidTokenError("The token's algorithm or type is not acceptable.")
    return header


def check_token(
    token: str,
    key: jwt.PyJWK,
    *,
    issuer: str,
    audience: str,
    now: Callable[[], float] = time.time,
) -> Identity:
    """Who `token` speaks for, verified with `key`. Raises `InvalidTokenError`."""
    read_header(token)
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            issuer=issuer,
            audience=audience,
            leeway=LEEWAY,
            options={"require": REQUIRED, "strict_aud": True},
        )
    except jwt.ExpiredSignatureError:
        raise InvalidTokenError("The token has expired.") from None
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError):
        raise InvalidTokenError("The token is not valid.") from None
    return _identity(claims, now())


def _identity(claims: Mapping[str, Any], now: float) -> Identity:
    subject, session, username = claims["sub"], claims["sid"], claims["username"]
    times = claims["iat"], claims["nbf"], claims["exp"]
    texts = (subject, session, username)
    if not all(isinstance(text, str) for text in texts) or not SUBJECT.fullmatch(subject):
        raise InvalidTokenError("The token's claims are not acceptable.")
    if not all(isinstance(moment, (int, float)) for moment in times):
        raise InvalidTokenError("The token's claims are not acceptable.")
    if claims["exp"] - claims["iat"] > MAX_LIFETIME or claims["exp"] <= now - LEEWAY:
        raise InvalidTokenError("The token's lifetime is not acceptable.")
    return Identity(int(subject), username, session, float(claims["exp"]))
