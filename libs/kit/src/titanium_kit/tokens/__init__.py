"""Access tokens: how they look, and how every service verifies them by itself."""

from titanium_kit.tokens.claims import Identity, InvalidTokenError, check_token, read_header
from titanium_kit.tokens.dependency import CurrentUser, current_user
from titanium_kit.tokens.verifier import TokenVerifier

__all__ = [
    "CurrentUser",
    "Identity",
    "InvalidTokenError",
    "TokenVerifier",
    "check_token",
    "current_user",
    "read_header",
]
