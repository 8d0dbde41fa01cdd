"""Reads posts and profiles back the way readers get them: from the services, over their sockets."""

from __future__ import annotations

import hashlib
import http.client
import json
import socket
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from titanium.errors import UnhealthyError

_TIMEOUT = 10.0


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_TIMEOUT)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(_TIMEOUT)
        self.sock.connect(str(self._path))


class ServiceReader:
    """GETs JSON documents from one application over its Unix socket; a context manager."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = _UnixConnection(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()

    def get(self, path: str) -> Any:
        """The document, None when there is none (404). UnhealthyError when there is no answer."""
        try:
            status, body = self._ask(path)
        except (OSError, http.client.HTTPException):
            # The server may have closed a kept connection: one more try, on a new one.
            self._connection.close()
            try:
                status, body = self._ask(path)
            except (OSError, http.client.HTTPException) as error:
                raise self._silent(path, str(error) or type(error).__name__) from None
        if status == 404:
            return None
        if status != 200:
            raise self._silent(path, f"status {status}")
        return json.loads(body)

    def post(self, number: int) -> Any:
        return self.get(f"/api/posts/{number}")

    def profile(self, username: str) -> Any:
        return self.get(f"/api/users/{quote(username, safe='')}")

    def _ask(self, path: str) -> tuple[int, bytes]:
        self._connection.request("GET", path)
        response = self._connection.getresponse()
        return response.status, response.read()

    def _silent(self, path: str, reason: str) -> UnhealthyError:
        return UnhealthyError(
            f"{path} could not be read back from {self._path}: {reason}",
            "Check `titanium status`, then run the command again: what is done stays done.",
        )


def digest(title: str, content: str, author: str) -> bytes:
    """Equal for two posts with the same text and author."""
    hashed = hashlib.sha256()
    for part in (title, content, author):
        encoded = part.encode()
        hashed.update(len(encoded).to_bytes(8, "big") + encoded)
    return hashed.digest()
