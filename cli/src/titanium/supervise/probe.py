"""Asks a process whether it is ready; every probe is one short exchange, never an exception."""

from __future__ import annotations

import asyncio
import base64
import struct
from dataclasses import dataclass
from pathlib import Path

from titanium.layout import HOST
from titanium.supervise.spec import HttpProbe, PostgresProbe, Probe, RedisProbe

_LIMIT = 64 * 1024
_LARGEST = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """`ready`, and in words what the process said or why it said nothing."""

    ready: bool
    text: str = ""


async def ask(probe: Probe, timeout: float = 2.0) -> Answer:
    """One attempt, at most `timeout` seconds long."""
    try:
        async with asyncio.timeout(timeout):
            if isinstance(probe, HttpProbe):
                return await _http(probe)
            if isinstance(probe, PostgresProbe):
                return await _postgres(probe)
            return await _redis(probe)
    except TimeoutError:
        return Answer(False, f"no answer in {timeout:g} s")
    except FileNotFoundError:
        return Answer(False, "its socket does not exist yet")
    except (OSError, EOFError) as error:
        return Answer(False, str(error) or type(error).__name__)


async def http_get(
    path: str,
    *,
    socket: Path | None = None,
    port: int | None = None,
    method: str = "GET",
    limit: int = _LARGEST,
    account: tuple[str, Path] | None = None,
) -> tuple[int, bytes]:
    """Status and body of one request over a Unix socket or loopback TCP.

    `account` is a user and the file with its password. Raises OSError or EOFError when there is
    no whole answer of at most `limit` bytes; callers bound the time.
    """
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close"]
    if account is not None:
        words = f"{account[0]}:{account[1].read_text('ascii').strip()}".encode()
        lines.append(f"Authorization: Basic {base64.b64encode(words).decode()}")
    request = "\r\n".join([*lines, "Content-Length: 0", "", ""]).encode()
    if socket is not None:
        reader, writer = await asyncio.open_unix_connection(str(socket))
    else:
        reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(request)
        await writer.drain()
        head = await reader.readuntil(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        return status, await _body(reader, head.lower(), limit)
    except (ValueError, IndexError, asyncio.LimitOverrunError) as error:
        raise EOFError("the answer is not HTTP") from error
    finally:
        writer.close()


async def _body(reader: asyncio.StreamReader, head: bytes, limit: int) -> bytes:
    if b"transfer-encoding: chunked" in head:
        parts: list[bytes] = []
        room = limit
        while size := int((await reader.readline()).split(b";")[0], 16):
            room = _room(room - size)
            parts.append(await reader.readexactly(size))
            await reader.readline()
        return b"".join(parts)
    for line in head.split(b"\r\n"):
        if line.startswith(b"content-length:"):
            size = int(line.split(b":")[1])
            _room(limit - size)
            return await reader.readexactly(size)
    return await reader.read(_LIMIT)


def _room(left: int) -> int:
    if left < 0:
        raise EOFError("the answer is too large")
    return left


async def _http(probe: HttpProbe) -> Answer:
    status, body = await http_get(
        probe.path, socket=probe.socket, port=probe.port, account=probe.account
    )
    text = body.decode("utf-8", "replace").strip()
    return Answer(status == 200, f"{status} {text}".strip())


async def _postgres(probe: PostgresProbe) -> Answer:
    reader, writer = await asyncio.open_unix_connection(str(probe.socket))
    try:
        parameters = b"user\0titanium\0database\0postgres\0\0"
        writer.write(struct.pack("!ii", 8 + len(parameters), 3 << 16) + parameters)
        await writer.drain()
        kind = await reader.readexactly(1)
        if kind == b"R":
            return Answer(True)
        size = struct.unpack("!i", await reader.readexactly(4))[0]
        fields = (await reader.readexactly(min(size - 4, _LIMIT))).split(b"\0")
        said = [f[1:].decode("utf-8", "replace") for f in fields if f[:1] == b"M"]
        return Answer(False, said[0] if said else "refused the connection")
    finally:
        writer.close()


async def _redis(probe: RedisProbe) -> Answer:
    reader, writer = await asyncio.open_unix_connection(str(probe.socket))
    try:
        writer.write(b"PING\r\n")
        await writer.drain()
        line = await reader.readline()
        return Answer(line.startswith((b"+PONG", b"-NOAUTH")), line.decode().strip())
    finally:
        writer.close()
