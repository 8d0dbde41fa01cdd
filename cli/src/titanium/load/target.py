"""The platform that a load test visits: found, and looked at before anybody starts."""

from __future__ import annotations

import http.client
import ipaddress
import ssl
from urllib.parse import urlsplit

from titanium.errors import NotRunningError, UsageError
from titanium.layout import Home
from titanium.supervise import client
from titanium.supervise.protocol import PlatformStatus, Request

SETTING = "TITANIUM_URL"
_ANSWER_WITHIN = 5.0


def local_url(home: Home) -> str:
    """The address of the platform that runs in that state folder; NotRunningError without one."""
    result = client.ask(home, Request("status"), timeout=client.PATIENCE)
    result.raise_failure()
    return PlatformStatus.from_json(result.body).url


def checked_url(text: str) -> str:
    """`scheme://host[:port]` without a slash at its end; UsageError when it is not that."""
    hint = "For example: titanium load --url http://127.0.0.1:8080"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"--url {text}: {error}", hint) from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"--url {text}: expected http://HOST:PORT or https://HOST", hint)
    if parts.username or parts.path.strip("/") or parts.query or parts.fragment:
        raise UsageError(f"--url {text}: expected nothing before the host and after the port", hint)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{port}" if port is not None else "")


def is_loopback(url: str) -> bool:
    """Whether the address stays on this machine; certificates are not checked there, because a
    local platform signs its own."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def require_answer(url: str) -> None:
    """NotRunningError unless a gateway of this platform answers there, healthy or not."""
    parts = urlsplit(url)
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context()
        if is_loopback(url):
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection(
            parts.hostname or "", parts.port, timeout=_ANSWER_WITHIN, context=context
        )
    else:
        connection = http.client.HTTPConnection(
            parts.hostname or "", parts.port, timeout=_ANSWER_WITHIN
        )
    try:
        connection.request("GET", "/health")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise NotRunningError(
            f"nothing answers at {url}: {reason}",
            "Start the platform (titanium up -d), or give its address with --url.",
        ) from None
    finally:
        connection.close()
    if status not in (200, 429, 503):
        raise NotRunningError(
            f"{url} answers, but is not a Titanium gateway (GET /health: {status})",
            "Give the gateway's address with --url; titanium status shows it.",
        )
