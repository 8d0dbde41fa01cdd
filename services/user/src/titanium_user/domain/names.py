"""The forms of usernames and e-mail addresses.

Both patterns mean the same to Python, to pydantic and as JSON Schema, so the OpenAPI document
promises exactly what is accepted.
"""

from __future__ import annotations

import hashlib
import re

USERNAME_PATTERN = r"^[A-Za-z0-9가-힣_-][A-Za-z0-9가-힣_.-]*$"
"""No dot in front: `.` and `..` are no path segments."""
USERNAME_MIN, USERNAME_MAX = 2, 30
RESERVED = frozenset({"me"})
"""Names that are addresses: /api/users/me."""

EMAIL_PATTERN = (
    r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,8}$"
)
"""name@host.domain in ASCII; whether mail arrives there is not for a pattern to tell."""
EMAIL_MAX = 254

_USERNAME = re.compile(USERNAME_PATTERN)
_EMAIL = re.compile(EMAIL_PATTERN)


def is_username(text: str) -> bool:
    """Whether `text` can be a username."""
    return USERNAME_MIN <= len(text) <= USERNAME_MAX and _USERNAME.fullmatch(text) is not None


def is_email(text: str) -> bool:
    """Whether `text` has the form of an e-mail address."""
    return len(text) <= EMAIL_MAX and _EMAIL.fullmatch(text) is not None


def name_digest(username: str) -> bytes:
    """SHA-256 of the lower-cased name: what is kept so that nobody gets a used name again.

    It is not keyed: whoever reads the table could try names, as they can on the public profile
    address, and a key that is lost would give every name of the past away.
    """
    return hashlib.sha256(username.lower().encode()).digest()
