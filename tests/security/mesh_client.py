"""A client for mesh ports with any certificate at all: what an intruder would bring.

Speaks just enough HTTP/2 to ask one question per stream. The proxies' own client would
refuse to misbehave, so it cannot show that the other side refuses too.
"""

from __future__ import annotations

import socket
import ssl
import struct
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from titanium.layout import HOST
from titanium.mesh.certificates import Issued

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _GOAWAY = 0x0, 0x1, 0x3, 0x4, 0x6, 0x7
_WINDOW_UPDATE = 0x8
# Room for all answers of a connection, whose sum the other side counts.
_WINDOW = struct.pack(">I", 2**30)
_END_STREAM, _END_HEADERS, _ACK = 0x1, 0x4, 0x1
# SETTINGS_HEADER_TABLE_SIZE 0: answers refer to no header that came before.
_NO_TABLE = struct.pack(">HI", 1, 0)
# RFC 7541: the static table's statuses, and the Huffman codes of the digits.
_STATUSES = {8: 200, 9: 204, 10: 206, 11: 304, 12: 400, 13: 404, 14: 500}
_DIGITS = {"00000": "0", "00001": "1", "00010": "2", "011001": "3", "011010": "4", "011011": "5"}


class RefusedError(Exception):
    """The other side did not take the connection."""


class MeshClient:
    """One connection to a mesh port; `issued` None shows no certificate."""

    def __init__(
        self,
        port: int,
        issued: Issued | None,
        *,
        tls: bool = True,
        newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    ) -> None:
        plain = socket.create_connection((HOST, port), timeout=5)
        self._socket = plain
        self._stream = 1
        self._buffer = b""
        try:
            if tls:
                self._socket = _wrap(plain, issued, newest)
            room = _frame(_WINDOW_UPDATE, 0, 0, _WINDOW)
            self._socket.sendall(_PREFACE + _frame(_SETTINGS, 0, 0, _NO_TABLE) + room)
            kind, _, _, _ = self._read_frame()
        except OSError as error:
            self._socket.close()
            raise RefusedError(str(error)) from error
        if kind != _SETTINGS:
            self._socket.close()
            raise RefusedError(f"no settings but a frame of kind {kind}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    @property
    def certificate(self) -> bytes:
        """The certificate that the other side showed, DER."""
        assert isinstance(self._socket, ssl.SSLSocket)
        return self._socket.getpeercert(binary_form=True) or b""

    def request(self, method: str, path: str) -> int:
        """The status of the answer."""
        stream, self._stream = self._stream, self._stream + 2
        fields = [
            (":method", method),
            (":scheme", "https"),
            (":path", path),
            (":authority", "mesh"),
        ]
        block = b"".join(_literal(name, value) for name, value in fields)
        flags = _END_STREAM | _END_HEADERS
        self._socket.sendall(_frame(_HEADERS, flags, stream, block))
        status = 0
        while True:
            kind, flags, number, payload = self._read_frame()
            if kind == _GOAWAY:
                raise RefusedError("goaway")
            if kind == _RESET and number == stream:
                return status
            if kind == _HEADERS and number == stream:
                status = _status(payload)
            if number == stream and flags & _END_STREAM and kind in (_DATA, _HEADERS):
                return status

    def _read_frame(self) -> tuple[int, int, int, bytes]:
        head = self._read(9)
        length = int.from_bytes(head[:3], "big")
        kind, flags, number = struct.unpack(">BBI", head[3:])
        payload = self._read(length)
        if kind == _SETTINGS and not flags & _ACK:
            self._socket.sendall(_frame(_SETTINGS, _ACK, 0, b""))
        return kind, flags, number, payload

    def _read(self, count: int) -> bytes:
        while len(self._buffer) < count:
            received = self._socket.recv(65536)
            if not received:
                raise ConnectionResetError("closed by the other side")
            self._buffer += received
        result, self._buffer = self._buffer[:count], self._buffer[count:]
        return result


def _wrap(plain: socket.socket, issued: Issued | None, newest: ssl.TLSVersion) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = newest
    context.set_alpn_protocols(["h2"])
    if issued is not None:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "client.pem"
            path.write_text(issued.key + issued.certificate)
            context.load_cert_chain(path)
    return context.wrap_socket(plain)


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + struct.pack(">BBI", kind, flags, stream) + payload


def _literal(name: str, value: str) -> bytes:
    """A header field in HPACK, neither indexed nor compressed; both parts below 127 bytes."""
    return b"".join(
        (b"\x00", bytes([len(name)]), name.encode(), bytes([len(value)]), value.encode())
    )


def _status(block: bytes) -> int:
    """`:status` comes first in every answer; a table size update may stand before it."""
    while block[0] & 0xE0 == 0x20:
        block = block[1:]
    if block[0] & 0x80:
        return _STATUSES[block[0] & 0x7F]
    length, compressed = block[1] & 0x7F, bool(block[1] & 0x80)
    text = block[2 : 2 + length]
    return int(_digits(text) if compressed else text)


def _digits(text: bytes) -> str:
    bits = "".join(f"{byte:08b}" for byte in text)
    result, code = "", ""
    for bit in bits:
        code += bit
        if code in _DIGITS:
            result, code = result + _DIGITS[code], ""
    return result
