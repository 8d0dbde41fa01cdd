"""Sends one request through the gateway that asks to be traced."""

from __future__ import annotations

import http.client
import secrets
import time
from dataclasses import dataclass

from titanium.errors import TitaniumError, UsageError
from titanium.layout import HOST

_PATIENCE = 15.0
_LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Asked:
    """The answer to a traced request; `seconds` as its sender measured them."""

    trace_id: str
    status: int
    seconds: float


def trace_request(port: int, path: str) -> Asked:
    """GET `path` from the gateway on that loopback port, with a sampled traceparent.

    UsageError when it is no path; TitaniumError when there is no answer. Blocks up to 15 s.
    """
    check_path(path)
    trace_id = secrets.token_hex(16)
    headers = {
        "traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01",
        "User-Agent": "titanium-console",
        "Accept": "*/*",
    }
    connection = http.client.HTTPConnection(HOST, port, timeout=_PATIENCE)
    began = time.perf_counter()
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.read(1 << 20)
    except (OSError, http.client.HTTPException) as error:
        words = str(error) or type(error).__name__
        raise TitaniumError(
            f"the gateway on port {port} did not answer: {words}", "See titanium status."
        ) from None
    finally:
        connection.close()
    return Asked(trace_id, answer.status, time.perf_counter() - began)


def check_path(path: str) -> None:
    """UsageError unless it is the path (with query) of a request."""
    printable = path.isascii() and path.isprintable() and " " not in path
    if not path.startswith("/") or not printable or len(path) > _LONGEST:
        raise UsageError(
            f"{path[:80]!r} is no path", "Write it as in an address, from the first slash on."
        )
