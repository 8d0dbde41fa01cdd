"""Stands before everything that the console serves, its websockets included.

Loopback alone protects nobody: any page in the operator's browser can send requests to
127.0.0.1. So: the Host must be a loopback name (a rebound DNS name is not), whoever asks across
origins is refused, and everything but the files of the application itself needs a session.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from types import TracebackType
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from titanium.console.sessions import Sessions

journal = logging.getLogger(__name__)

MAX_BODY = 1024 * 1024
TOO_LARGE = "The request is too large."
FRAMES = 6
HOSTS = ("127.0.0.1", "localhost")
_HOST = re.compile(rf"^({'|'.join(map(re.escape, HOSTS))})(:\d{{1,5}})?$")
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
)
# NiceGUI evaluates code that its server sends ('unsafe-eval') and sets style attributes
# ('unsafe-inline' for styles alone); scripts need the nonce of the answer they came with.
POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


class Guard:
    """ASGI middleware around the whole application.

    `public` are path prefixes of the application's own files; `open_paths` check their callers
    themselves. `port` names the cookie, because cookies are shared by all ports of a host.
    """

    def __init__(
        self,
        app: ASGIApp,
        sessions: Sessions,
        port: int,
        public: Iterable[str] = (),
        open_paths: Iterable[str] = (),
    ) -> None:
        self.app = app
        self._sessions = sessions
        self._cookie = cookie_name(port)
        self._public = tuple(public)
        self._open = frozenset(open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        headers = _headers(scope)
        refusal = self._refusal(scope, headers)
        if scope["type"] == "websocket":
            if refusal is not None:
                await receive()
                await send({"type": "websocket.close", "code": 1008})
                return
            await self.app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(16)
        guarded = _Answer(send, nonce)
        if refusal is not None:
            await refusal(scope, receive, guarded)
            return
        try:
            await self.app(scope, _bounded(receive), guarded)
        except Exception as error:  # noqa: BLE001 - one page that fails is not the console
            journal.error("a request failed", exc_info=_innermost(error))
            if not guarded.started:
                await _text("The console failed.", 500)(scope, receive, guarded)

    def _refusal(self, scope: Scope, headers: dict[str, str]) -> Response | None:
        """The answer to a request that goes no further; None for one that may."""
        host = headers.get("host", "")
        if not _HOST.match(host):
            return _text("This console answers to 127.0.0.1 and localhost only.", 403)
        if not _same_site(headers, host, scope["type"] == "websocket"):
            return _text(
                "Refused: another site sent this request. Open the console's address yourself.", 403
            )
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length[:12]) > MAX_BODY:
            return _text(TOO_LARGE, 413)
        path = scope["path"]
        if path in self._open or path.startswith(self._public):
            return None
        if self._sessions.holds(cookie(headers, self._cookie)):
            return None
        if scope["type"] == "http" and scope["method"] == "GET" and _wants_page(headers):
            query = scope["query_string"].decode("ascii", "replace")
            target = path + (f"?{query}" if query else "")
            return RedirectResponse(f"/login?next={quote(target, safe='')}", 303)
        return _text("No session: open the console with its token (titanium status).", 401)


class _Answer:
    """Adds the security headers to an answer, and the nonce to the scripts of a page."""

    def __init__(self, send: Send, nonce: str) -> None:
        self._send = send
        self._nonce = nonce
        self._start: Message | None = None
        self._page = bytearray()
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            names = {name for name, _ in message["headers"]}
            policy = POLICY.format(nonce=self._nonce).encode()
            extra = [*HEADERS, (b"content-security-policy", policy)]
            headers = [*message["headers"], *(pair for pair in extra if pair[0] not in names)]
            message = {**message, "headers": headers}
            if dict(headers).get(b"content-type", b"").startswith(b"text/html"):
                self._start = message
                return
        elif message["type"] == "http.response.body" and self._start is not None:
            self._page += message.get("body", b"")
            if message.get("more_body"):
                return
            page = bytes(self._page).replace(b"<script", f'<script nonce="{self._nonce}"'.encode())
            headers = [pair for pair in self._start["headers"] if pair[0] != b"content-length"]
            headers.append((b"content-length", str(len(page)).encode()))
            await self._send({**self._start, "headers": headers})
            self._start = None
            message = {"type": "http.response.body", "body": page}
        await self._send(message)


def _innermost(error: Exception) -> tuple[type[Exception], Exception, TracebackType | None]:
    """The error without the dozens of frames of the frameworks around it."""
    error.__cause__ = error.__context__ = None
    frames, trace = 0, error.__traceback__
    while trace is not None:
        frames, trace = frames + 1, trace.tb_next
    trace = error.__traceback__
    for _ in range(frames - FRAMES):
        trace = trace.tb_next if trace is not None else None
    return type(error), error, trace


def cookie_name(port: int) -> str:
    return f"titanium_console_{port}"


def cookie(headers: dict[str, str], name: str) -> str:
    """Value of the request's cookie; empty when it has none."""
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return found.value if found else ""


def _same_site(headers: dict[str, str], host: str, websocket: bool) -> bool:
    site = headers.get("sec-fetch-site")
    if site == "cross-site":
        return False
    # Another port of this host is the same site to a browser: the blog, for one. It may link
    # here, and nothing else.
    if site == "same-site" and headers.get("sec-fetch-mode") != "navigate":
        return False
    origin = headers.get("origin")
    if origin is None:
        return not websocket
    # With no-referrer, a browser calls the origin of its own form "null".
    return origin == f"http://{host}" or (origin == "null" and site == "same-origin")


def _wants_page(headers: dict[str, str]) -> bool:
    return "text/html" in headers.get("accept", "")


def _headers(scope: Scope) -> dict[str, str]:
    """Headers by name; one that comes twice (and would be read twice) is both, joined."""
    found: dict[str, str] = {}
    for name, content in scope["headers"]:
        key, text = name.decode("latin-1"), content.decode("latin-1")
        joint = "; " if key == "cookie" else ", "
        found[key] = f"{found[key]}{joint}{text}" if key in found else text
    return found


def _bounded(receive: Receive) -> Receive:
    seen = 0

    async def bounded() -> Message:
        nonlocal seen
        message = await receive()
        if message["type"] == "http.request":
            seen += len(message.get("body", b""))
            if seen > MAX_BODY:
                raise HTTPException(413, TOO_LARGE)
        return message

    return bounded


def _text(text: str, status: int) -> Response:
    return PlainTextResponse(text + "\n", status)
