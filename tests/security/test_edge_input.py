"""What the edge lets in: paths, headers, bodies, framing, slow clients."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable

import pytest

from titanium.layout import HOST

from .harness import Answer, Mesh

pytestmark = pytest.mark.e2e

TRICKS = [
    "/internal/readyz",
    "/internal",
    "//internal/readyz",
    "///internal///readyz",
    "/./internal/readyz",
    "/%69nternal/readyz",
    "/%2e/internal/readyz",
    "/INTERNAL/readyz",
    "/internal%2Freadyz",
    "/api/posts/../internal/readyz",
    "/api/posts/../../internal/readyz",
    "/api/posts/%2e%2e/%2e%2e/internal/readyz",
    "/api/posts/%2E%2E/%2e./internal/readyz",
    "/api/posts/..%2f..%2finternal/readyz",
    "/api/posts/%2e%2e%2f%2e%2e%2finternal%2freadyz",
    "/api/posts/..%5c..%5cinternal%5creadyz",
    "/api/posts\\..\\..\\internal\\readyz",
    "/api/posts/..\\../internal/readyz",
    "/api/posts/..;/..;/internal/readyz",
    "/api/posts/..;x=1/../internal/readyz",
    "/;/internal/readyz",
    "/internal;/readyz",
    "/api/posts;/../internal/readyz",
    "/api/posts/%3b/../../../internal/readyz",
    "/api/posts/%00/../../../internal/readyz",
    "/blog/api/../../internal/readyz",
    "/blog/api/..%2f..%2finternal/readyz",
    "/blog/api/internal/readyz",
    "/blog/api//internal/readyz",
    "/blog/../internal/readyz",
    "/blog/api/posts/../../../internal/readyz",
    "/api/../internal/readyz",
    "/api/internal/readyz",
    "/health/../internal/readyz",
    "/api/posts/%252e%252e/%252e%252e/internal/readyz",
    "/?/../internal/readyz",
    "/api/posts?/../../internal/readyz",
    "/api/posts/#/../../../internal/readyz",
    "http://127.0.0.1/internal/readyz",
    "http://blog.titanium.internal/internal/readyz",
    "/internal/metrics",
    "/internal/credentials/verify",
    "/internal/authors/1",
]


@pytest.mark.parametrize("path", TRICKS)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_bar_33_path_confusion_never_reaches_internal(mesh: Mesh, path: str, method: str) -> None:
    status, _ = raw(mesh, f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
    assert status < 500
    for seen in mesh.all_seen():
        decoded = seen.path.partition("?")[0].lower().replace("%2e", ".")
        assert not decoded.startswith("/internal"), seen
        assert ".." not in decoded.split("/"), seen
        assert "\\" not in decoded, seen


@pytest.mark.parametrize(
    "path",
    [
        "/api//login",
        "/api/./login",
        "/api/x/../login",
        "/api/%6cogin",
        "/api\\login",
        "/blog/api/login",
        "/blog//api/login",
        "/blog/x/../api/login",
    ],
)
def test_bar_33_every_spelling_of_a_path_is_under_the_rule_of_that_path(
    mesh: Mesh, path: str
) -> None:
    """Another spelling of the login path gets neither another limit nor another method."""
    status, head = raw(mesh, f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
    if status == 200:
        assert 'ratelimit: "login"' in head.lower()
        assert [seen.path for seen in mesh.all_seen()] == ["/api/login"]
    else:
        assert status in (400, 404, 405)
        assert mesh.all_seen() == []
    mesh.clear()
    status, _ = raw(mesh, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")
    assert status in (400, 404, 405)
    assert mesh.all_seen() == []


@pytest.mark.parametrize(
    "path", ["/api/login/", "/api/login/x", "/api/loginx", "/api/postsx", "/blogx", "/api/LOGIN"]
)
def test_bar_33_neighbours_of_a_path_are_not_that_path(mesh: Mesh, path: str) -> None:
    assert mesh.request("POST", path, body=b"{}").status == 404
    assert mesh.all_seen() == []


SPOOFED = {
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Port": "1",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-Client-Cert": "By=spiffe://evil",
    "Forwarded": "for=203.0.113.7;host=evil.example",
    "X-Real-IP": "203.0.113.7",
    "X-Client-IP": "203.0.113.7",
    "True-Client-IP": "203.0.113.7",
    "X-User-ID": "1",
    "X-User": "admin",
    "X-Username": "admin",
    "X-Auth-User": "admin",
    "X-Remote-User": "admin",
    "X-Original-URL": "/internal/readyz",
    "X-Rewrite-URL": "/internal/readyz",
    "X-HTTP-Method-Override": "DELETE",
    "X-Envoy-Original-Path": "/internal/readyz",
    "X-Envoy-External-Address": "203.0.113.7",
    "X-Envoy-Internal": "true",
    "X-Envoy-Retry-On": "5xx",
    "X-Envoy-Max-Retries": "10",
    "X-Envoy-Upstream-Rq-Timeout-Ms": "1",
    "X-Envoy-Decorator-Operation": "x",
    "X-Envoy-Anything": "x",
    "X-Titanium-Undelivered": "1",
    "X-Titanium-Complete": "1",
    "X-Titanium-Trace": "1",
    "X-Titanium-Sent-Round": "1",
    "Trace-Token": "1",
    "Tracestate": "vendor=1",
    "X-Client-Trace-Id": "chosen-by-the-client",
    "X-Request-Id": "chosen-by-the-client",
}


def test_bar_34_spoofed_headers_are_not_trusted(mesh: Mesh) -> None:
    assert mesh.request("GET", "/api/posts", SPOOFED).status == 200
    (seen,) = mesh.all_seen()
    assert seen.headers["x-forwarded-for"] == HOST
    assert seen.headers["x-forwarded-proto"] == "http"
    assert seen.headers["x-request-id"] != "chosen-by-the-client"
    expected = {"host", "x-forwarded-for", "x-forwarded-proto", "x-request-id"}
    assert set(seen.headers) == expected
    assert seen.method == "GET"
    assert seen.path == "/api/posts"


def test_bar_34_the_app_sees_the_address_of_the_client(mesh: Mesh) -> None:
    mesh.request("GET", "/api/posts", {"X-Forwarded-For": "127.0.0.9"}, client="127.0.0.5")
    assert mesh.all_seen()[0].headers["x-forwarded-for"] == "127.0.0.5"


def test_bar_34_a_client_cannot_ask_for_retries(mesh: Mesh) -> None:
    mesh.apps["blog-0"].answer = lambda _: Answer(status=503)
    headers = {"X-Envoy-Retry-On": "5xx,retriable-4xx", "X-Envoy-Max-Retries": "5"}
    assert mesh.request("POST", "/api/posts", headers, b"{}").status == 503
    assert len(mesh.all_seen()) == 1


def test_bar_34_a_client_cannot_blank_the_gateways_own_problems(mesh: Mesh) -> None:
    reply = mesh.request("GET", "/nothing", {"X-Titanium-Complete": "1"})
    assert reply.json["title"] == "Not Found"


def test_bar_34_the_trace_of_a_loopback_client_goes_on(mesh: Mesh) -> None:
    """Whose trace headers count at all: test_traces.py."""
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    reply = mesh.request("GET", "/api/posts", {"traceparent": parent})
    (seen,) = mesh.all_seen()
    assert seen.headers["traceparent"].startswith(parent[:36])
    assert seen.headers["traceparent"].endswith("-01")
    assert seen.headers["x-request-id"] == reply.headers["x-request-id"]


def test_bar_30_a_header_with_an_underscore_is_refused(mesh: Mesh) -> None:
    assert mesh.request("GET", "/api/posts", {"x_user_id": "1"}).status == 400
    assert mesh.all_seen() == []


SMUGGLED = "GET /internal/readyz HTTP/1.1\r\nHost: x\r\n\r\n"
PAIRS = {
    "both lengths": "Content-Length: {n}\r\nTransfer-Encoding: chunked\r\n",
    "both lengths, other order": "Transfer-Encoding: chunked\r\nContent-Length: {n}\r\n",
    "two different lengths": "Content-Length: 0\r\nContent-Length: {n}\r\n",
    "two lengths in one": "Content-Length: 0, {n}\r\n",
    "signed length": "Content-Length: +{n}\r\n",
    "negative length": "Content-Length: -1\r\n",
    "hexadecimal length": "Content-Length: 0x10\r\n",
    "length with a space inside": "Content-Length: 1 0\r\n",
    "huge length": "Content-Length: 99999999999999999999\r\n",
    "chunked twice": "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    "identity and chunked": "Transfer-Encoding: identity, chunked\r\n",
    "chunked and identity": "Transfer-Encoding: chunked, identity\r\n",
    "unknown coding": "Transfer-Encoding: xchunked\r\n",
    "space before the colon": "Transfer-Encoding : chunked\r\nContent-Length: {n}\r\n",
    "vertical tab in the value": "Transfer-Encoding: \x0bchunked\r\nContent-Length: {n}\r\n",
    "folded line": "X: y\r\n Transfer-Encoding: chunked\r\nContent-Length: {n}\r\nZ z: 1\r\n",
    "underscore": "Transfer_Encoding: chunked\r\nContent-Length: {n}\r\n",
    "bare line feed in a value": "X: a\nTransfer-Encoding: chunked\r\nContent-Length: {n}\r\n",
    "NUL in a value": "X: a\x00b\r\nContent-Length: {n}\r\n",
}


@pytest.mark.parametrize("fields", PAIRS.values(), ids=PAIRS.keys())
def test_bar_35_smuggling_pairs_are_rejected(mesh: Mesh, fields: str) -> None:
    body = "0\r\n\r\n" + SMUGGLED
    head = f"POST /api/posts HTTP/1.1\r\nHost: x\r\n{fields.format(n=len(body))}\r\n"
    answer = raw_bytes(mesh, (head + body).encode("latin-1"))
    assert answer.count(b"HTTP/1.1 ") == 1, answer
    assert answer[9:12] in (b"400", b"501", b"413"), answer[:200]
    assert mesh.all_seen() == []


def test_bar_35_a_bare_carriage_return_does_not_end_a_header(mesh: Mesh) -> None:
    """RFC 9112, 2.2: it is no line end, so what follows it is no header."""
    head = "POST /api/posts HTTP/1.1\r\nHost: x\r\nX: a\rContent-Length: 0\r\n"
    answer = raw_bytes(mesh, (head + f"Content-Length: {len(SMUGGLED)}\r\n\r\n{SMUGGLED}").encode())
    assert answer.count(b"HTTP/1.1 ") == 1
    for seen in mesh.all_seen():
        assert seen.body == SMUGGLED.encode()
        assert seen.headers["content-length"] == str(len(SMUGGLED))


@pytest.mark.parametrize(
    "chunks",
    [
        "zz\r\nabc\r\n0\r\n\r\n",
        "3\nabc\n0\n\n",
        "-1\r\nabc\r\n0\r\n\r\n",
        "0x3\r\nabc\r\n0\r\n\r\n",
        "3\r\nabcd\r\n0\r\n\r\n",
        "ffffffffffffffffff\r\nabc\r\n0\r\n\r\n",
        "3;x=\n\r\nabc\r\n0\r\n\r\n",
        "3\r\nabc0\r\n\r\n",
    ],
)
def test_bar_35_malformed_chunks_are_rejected(mesh: Mesh, chunks: str) -> None:
    head = "POST /api/posts HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = raw_bytes(mesh, (head + chunks + SMUGGLED).encode())
    assert answer[9:12] == b"400", answer[:200]
    assert [seen for seen in mesh.all_seen() if "internal" in seen.path] == []
    assert b"stub" not in answer


def test_bar_35_two_requests_on_one_connection_stay_two(mesh: Mesh) -> None:
    """The second of a well-formed pipeline is judged by itself."""
    first = "POST /api/posts HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
    answer = raw_bytes(mesh, (first + SMUGGLED).encode(), answers=2)
    assert answer.count(b"HTTP/1.1 ") == 2
    assert b"HTTP/1.1 404" in answer
    assert [seen.path for seen in mesh.all_seen()] == ["/api/posts"]


def test_bar_36_a_body_over_one_mebibyte_is_413(mesh: Mesh) -> None:
    exact = mesh.request("POST", "/api/posts", body=b"x" * 1048576)
    assert exact.status == 200
    assert len(mesh.all_seen()[0].body) == 1048576
    mesh.clear()
    reply = mesh.request("POST", "/api/posts", body=b"x" * 1048577)
    assert reply.status == 413
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json["title"] == "Content Too Large"
    assert mesh.all_seen() == []


def test_bar_36_a_chunked_body_over_one_mebibyte_is_413(mesh: Mesh) -> None:
    head = b"POST /api/posts HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    answer = raw_bytes(mesh, head + 17 * chunk + b"0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413")
    assert mesh.all_seen() == []


def test_bar_36_a_get_cannot_carry_a_larger_body(mesh: Mesh) -> None:
    assert mesh.request("GET", "/api/posts", body=b"x" * 1048577).status == 413
    assert mesh.all_seen() == []


def test_headers_that_are_too_large_are_431(mesh: Mesh) -> None:
    reply = mesh.request("GET", "/api/posts", {"x-large": "a" * 40_000})
    assert reply.status == 431
    assert mesh.all_seen() == []


def trickle_head(connection: socket.socket) -> None:
    connection.sendall(b"GET /api/posts HTTP/1.1\r\nHost: x\r\n")
    while True:
        connection.sendall(b"x-slow: 1\r\n")
        time.sleep(0.5)


def silent_after_first_byte(connection: socket.socket) -> None:
    connection.sendall(b"G")
    time.sleep(60)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("send", [trickle_head, silent_after_first_byte])
def test_bar_31_a_slow_client_is_dropped_within_10_seconds(
    mesh: Mesh, scheme: str, send: Callable[[socket.socket], None]
) -> None:
    port = mesh.ports.http if scheme == "http" else mesh.ports.https
    connection: socket.socket = socket.create_connection((HOST, port), timeout=12)
    if scheme == "https":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(mesh.authority.certificate_file)
        connection = context.wrap_socket(connection, server_hostname="localhost")

    def feed() -> None:
        with contextlib.suppress(OSError):  # dropped: that is what the test waits for
            send(connection)

    threading.Thread(target=feed, daemon=True).start()
    start = time.monotonic()
    received = b""
    try:
        while part := connection.recv(4096):
            received += part
    except ConnectionResetError:
        pass
    elapsed = time.monotonic() - start
    connection.close()
    assert elapsed < 10
    assert received == b"" or received.startswith(b"HTTP/1.1 408")


def test_bar_31_a_client_that_never_starts_tls_is_dropped(mesh: Mesh) -> None:
    with socket.create_connection((HOST, mesh.ports.https), timeout=12) as connection:
        start = time.monotonic()
        assert connection.recv(1) == b""
        assert time.monotonic() - start < 10


def raw(mesh: Mesh, request: str) -> tuple[int, str]:
    answer = raw_bytes(mesh, request.encode("latin-1"))
    head = answer.partition(b"\r\n\r\n")[0].decode("latin-1")
    return int(head[9:12]), head


def raw_bytes(mesh: Mesh, request: bytes, answers: int = 1) -> bytes:
    """What comes back for these bytes, until the server closes or has answered and is silent."""
    received = b""
    with socket.create_connection((HOST, mesh.ports.http), timeout=10) as connection:
        with contextlib.suppress(OSError):  # refused before the end: the answer says why
            connection.sendall(request)
        try:
            while part := connection.recv(65536):
                received += part
                if received.count(b"HTTP/1.1 ") >= answers:
                    connection.settimeout(0.06)
        except (TimeoutError, ConnectionResetError):
            pass
    return received
