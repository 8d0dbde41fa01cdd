"""The refresh cookie, and who may use it.

Behind https it is `__Host-titanium_refresh`: no other host, subdomain or plain connection can set
it. On a plain connection (a local run) browsers refuse that prefix, so it is `titanium_refresh`;
a request over https never reads that one.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import Request

from titanium_kit.problems import Problem

PLAIN = "titanium_refresh"
SECURE = f"__Host-{PLAIN}"


def over_https(request: Request) -> bool:
    """Whether the client spoke https to the gateway."""
    return request.headers.get("x-forwarded-proto", request.url.scheme).lower() == "https"


def cookie_name(request: Request) -> str:
    """The refresh cookie's name on this connection."""
    return SECURE if over_https(request) else PLAIN


def set_cookie(request: Request, value: str, max_age: int) -> str:
    """A Set-Cookie value; `max_age` 0 and an empty value remove the cookie."""
    secure = "; Secure" if over_https(request) else ""
    name = cookie_name(request)
    return f"{name}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Strict{secure}"


def own_cookie(request: Request, public_url: str) -> str | None:
    """The refresh token in the cookie, or None.

    Raises `Problem` 403 when the request comes from a page of another site: browsers add cookies
    by themselves, so a cookie alone does not say that the person meant it.
    """
    value = request.cookies.get(cookie_name(request))
    if not value:
        return None
    site = request.headers.get("sec-fetch-site", "none")
    origin = request.headers.get("origin")
    if site not in ("same-origin", "none") or (origin and not _is_own(request, origin, public_url)):
        raise Problem(403, "Pages of other sites may not use the session cookie.")
    return value


def _is_own(request: Request, origin: str, public_url: str) -> bool:
    public = urlsplit(public_url)
    scheme = "https" if over_https(request) else "http"
    own = {f"{public.scheme}://{public.netloc}", f"{scheme}://{_asked_host(request)}"}
    return origin.lower() in {text.lower() for text in own}


def _asked_host(request: Request) -> str:
    """The Host that the browser asked for; a gateway that renames it adds it as the last one."""
    host: str = request.headers.get("x-forwarded-host") or request.headers.get("host", "")
    return host.rpartition(",")[2].strip()
