"""Which passwords may be set (NIST SP 800-63B: length and a blocklist, no composition rules)."""

from __future__ import annotations

import unicodedata
from collections.abc import Container

from titanium_user.domain.errors import WeakPasswordError

PASSWORD_MIN, PASSWORD_MAX = 8, 256
"""In code points. The longest is there to bound the work, and is never cut to."""


def normalized(password: str) -> str:
    """NFKC, so that a password typed on another system is the same one.

    One keyboard sends Hangul as syllables, another as letters; wide and narrow forms differ by
    input method only.
    """
    return unicodedata.normalize("NFKC", password)


class PasswordPolicy:
    """Refuses passwords that are short, common, or the account's own name.

    `common` holds normalized, lower-case passwords.
    """

    def __init__(self, common: Container[str]) -> None:
        self._common = common

    def check(self, password: str, *, username: str, email: str) -> None:
        """Raises `WeakPasswordError` with what to do about it."""
        text = normalized(password)
        if len(text) < PASSWORD_MIN:
            raise WeakPasswordError(f"must have at least {PASSWORD_MIN} characters")
        if len(password) > PASSWORD_MAX:
            raise WeakPasswordError(f"must have at most {PASSWORD_MAX} characters")
        folded = text.lower()
        if folded in self._common:
            raise WeakPasswordError("is among the most common passwords; choose another one")
        if folded in (normalized(username).lower(), email.lower()):
            raise WeakPasswordError("must not be the username or the e-mail address")
