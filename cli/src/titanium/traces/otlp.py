"""Receives spans: OTLP/HTTP (https://opentelemetry.io/docs/specs/otlp/) as an ASGI app.

It asks for no credentials: bind it to a Unix socket in a private folder, nowhere else.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

import orjson
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from titanium.traces.decode import Export, MalformedError, decode_json, decode_protobuf
from titanium.traces.store import TraceStore

PATH = "/v1/traces"
LARGEST = 4 * 1024 * 1024
_PATIENCE = 30.0
# Bodies that are read and decoded at the same time: bounds the memory.
_AT_ONCE = 4
_PROTOBUF, _JSON = "application/x-protobuf", "application/json"
# google.rpc.Code
_INVALID, _TOO_LARGE, _NOT_FOUND, _UNIMPLEMENTED, _LATE = 3, 8, 5, 12, 4

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


class _RefusedError(Exception):
    """`status` is the HTTP status, `code` the google.rpc.Code of the answer."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class _GoneError(Exception):
    """The sender went away before the end of its body."""


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    path: str
    media_type: str
    encoding: str
    length: int | None

    @classmethod
    def of(cls, scope: Message) -> _Request:
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        length = headers.get(b"content-length", "")
        return cls(
            method=scope["method"],
            path=scope["path"],
            media_type=headers.get(b"content-type", "").partition(";")[0].strip().lower(),
            encoding=headers.get(b"content-encoding", "identity").strip().lower(),
            length=int(length) if length.isascii() and length.isdigit() else None,
        )

    def check(self) -> None:
        if self.path != PATH:
            raise _RefusedError(404, _NOT_FOUND, f"only {PATH} is served here")
        if self.method != "POST":
            raise _RefusedError(405, _UNIMPLEMENTED, f"{PATH} takes POST")
        if self.media_type not in (_PROTOBUF, _JSON):
            raise _RefusedError(415, _INVALID, f"the body must be {_PROTOBUF} or {_JSON}")
        if self.encoding not in ("gzip", "identity"):
            raise _RefusedError(415, _INVALID, "Content-Encoding must be gzip or identity")
        if self.length is not None and self.length > LARGEST:
            raise _too_large()


def receiver(store: TraceStore) -> App:
    """An ASGI app that puts the spans of POST /v1/traces into `store`.

    4 MiB at most, compressed and not; errors are a google.rpc.Status in the sender's format.
    """
    gate = asyncio.Semaphore(_AT_ONCE)

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            request = _Request.of(scope)
            try:
                request.check()
                async with gate:
                    export = await _read(request, receive)
                store.add(export.spans)
                await _answer(send, 200, request.media_type, _accepted(request, export))
            except _RefusedError as error:
                media_type = _PROTOBUF if request.media_type == _PROTOBUF else _JSON
                await _answer(send, error.status, media_type, _status(media_type, error))
            except _GoneError:
                return

    return app


async def _read(request: _Request, receive: Receive) -> Export:
    try:
        async with asyncio.timeout(_PATIENCE):
            body = await _body(receive)
    except TimeoutError:
        raise _RefusedError(408, _LATE, f"no whole body in {_PATIENCE:g} s") from None
    decode = decode_protobuf if request.media_type == _PROTOBUF else decode_json

    def work() -> Export:
        return decode(_unpack(body) if request.encoding == "gzip" else body)

    try:
        # Not in the loop: a large body takes a while.
        return await asyncio.to_thread(work)
    except MalformedError as error:
        raise _RefusedError(400, _INVALID, str(error)) from None


async def _body(receive: Receive) -> bytes:
    parts = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _GoneError
        parts += message.get("body", b"")
        if len(parts) > LARGEST:
            raise _too_large()
        if not message.get("more_body", False):
            return bytes(parts)


def _unpack(body: bytes) -> bytes:
    """Decompress, never more than LARGEST and one byte."""
    unpacked = bytearray()
    while body:
        inflate = zlib.decompressobj(wbits=31)
        try:
            unpacked += inflate.decompress(body, LARGEST + 1 - len(unpacked))
        except zlib.error:
            raise MalformedError("the body is not gzip") from None
        if len(unpacked) > LARGEST:
            raise _too_large()
        if not inflate.eof:
            raise MalformedError("the gzip body is cut short")
        # Several members may follow each other.
        body = inflate.unused_data
    return bytes(unpacked)


def _too_large() -> _RefusedError:
    return _RefusedError(413, _TOO_LARGE, f"more than {LARGEST} bytes: send smaller batches")


def _accepted(request: _Request, export: Export) -> bytes:
    words = f"{export.refused} spans have no valid trace id or span id" if export.refused else ""
    if request.media_type == _JSON:
        partial = {"rejectedSpans": str(export.refused), "errorMessage": words}
        return orjson.dumps({"partialSuccess": partial} if words else {})
    response = ExportTraceServiceResponse()
    if words:
        response.partial_success.rejected_spans = export.refused
        response.partial_success.error_message = words
    return bytes(response.SerializeToString())


def _status(media_type: str, error: _RefusedError) -> bytes:
    """google.rpc.Status: code = 1, message = 2."""
    if media_type == _JSON:
        return orjson.dumps({"code": error.code, "message": error.message})
    message = error.message.encode()
    return b"\x08" + bytes((error.code,)) + b"\x12" + _varint(len(message)) + message


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*encoded, number))


async def _answer(send: Send, status: int, media_type: str, body: bytes) -> None:
    headers = [
        (b"content-type", media_type.encode()),
        (b"content-length", str(len(body)).encode()),
        *([(b"allow", b"POST")] if status == 405 else []),
        # The rest of a body that is refused is not read.
        *([(b"connection", b"close")] if status in (408, 413) else []),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
