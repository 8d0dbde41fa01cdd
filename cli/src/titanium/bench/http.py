"""A small HTTP/1.1 client with kept-alive connections: prepared bytes in, status and body out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from titanium.layout import HOST

_HEAD_LIMIT = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers with lower-case names, and the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def encode(
    method: str, target: str, body: object = None, headers: Mapping[str, str] | None = None
) -> bytes:
    """One request as it goes over the wire; a `body` is sent as JSON."""
    lines = [f"{method} {target} HTTP/1.1", "Host: 127.0.0.1", "User-Agent: titanium-bench"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    content = b""
    if body is not None:
        content = json.dumps(body, ensure_ascii=False).encode()
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + content


class Client:
    """Sends prepared requests to a port on loopback, each on a connection that nobody uses."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def send(self, request: bytes) -> Answer:
        """Raises OSError or EOFError when there is no whole answer; callers bound the time."""
        reader, writer = await self._connection()
        try:
            writer.write(request)
            answer = await _read(reader)
        except BaseException:
            writer.close()
            raise
        if answer.headers.get("connection") == "close":
            writer.close()
        else:
            self._idle.append((reader, writer))
        return answer

    async def close(self) -> None:
        for _, writer in self._idle:
            writer.close()
        self._idle.clear()

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof() and not writer.is_closing():
                return reader, writer
            writer.close()
        return await asyncio.open_connection(HOST, self._port, limit=_HEAD_LIMIT)


async def _read(reader: asyncio.StreamReader) -> Answer:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        status = int(first.split(" ", 2)[1])
        pairs = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        if headers.get("transfer-encoding") == "chunked":
            return Answer(status, headers, await _chunks(reader))
        length = int(headers.get("content-length", 0))
        return Answer(status, headers, await reader.readexactly(length))
    except (ValueError, IndexError, asyncio.LimitOverrunError) as error:
        raise EOFError("the answer is not HTTP") from error


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    parts = []
    while size := int((await reader.readline()).split(b";")[0], 16):
        parts.append(await reader.readexactly(size))
        await reader.readline()
    await reader.readline()
    return b"".join(parts)
