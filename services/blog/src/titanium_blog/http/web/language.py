"""The language of a page: what the reader chose, else what the browser asks for.

Behind https the cookie is `__Host-lang`: no other host can set it. Browsers refuse that prefix on
a plain connection (a local run), so it is `lang` there.
"""

from __future__ import annotations

import re

from starlette.types import Scope

from titanium_blog.domain.language import LANGUAGES, preferred

PLAIN, SECURE = "lang", "__Host-lang"
YEAR = 31_536_000
VARY = "Accept-Language, Cookie"
_CHOSEN = {
    name: re.compile(rf"(?:^|;\s*){name}=({'|'.join(LANGUAGES)})\s*(?:;|$)".encode())
    for name in (PLAIN, SECURE)
}


def requested_language(scope: Scope) -> str:
    """One of `LANGUAGES`."""
    accepted, cookie, name = b"", b"", PLAIN
    for header, value in scope["headers"]:
        if header == b"cookie":
            cookie += b"; " + value
        elif header == b"accept-language":
            accepted = value
        elif header == b"x-forwarded-proto" and value == b"https":
            name = SECURE
    if chosen := _CHOSEN[name].search(cookie):
        return chosen[1].decode()
    return preferred(accepted.decode("latin-1"))


def set_cookie(scope: Scope, language: str) -> str:
    """A Set-Cookie value that keeps the choice for a year."""
    https = (b"x-forwarded-proto", b"https") in scope["headers"]
    name, secure = (SECURE, "; Secure") if https else (PLAIN, "")
    return f"{name}={language}; Path=/; Max-Age={YEAR}; HttpOnly; SameSite=Lax{secure}"
