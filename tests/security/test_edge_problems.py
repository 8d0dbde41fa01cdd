"""What the edge refuses by itself is a whole problem, however little of a request there was."""

from __future__ import annotations

import http.client
import json
import re
import socket

import pytest

from titanium.layout import HOST

from .harness import MEMBERS, Mesh

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/nothing", 404, None),
        ("GET", "/internal/readyz", 404, None),
        ("GET", "/blog/api/nothing", 404, None),
        ("POST", "/", 405, "GET, HEAD"),
        ("POST", "/health", 405, "GET, HEAD"),
        ("DELETE", "/api/users/someone", 405, "GET, HEAD"),
        ("GET", "/api/login", 405, "POST"),
        ("GET", "/blog/api/login", 405, "POST"),
        ("PUT", "/api/posts/1", 405, "DELETE, GET, HEAD, PATCH"),
        ("OPTIONS", "/api/posts", 405, "GET, HEAD, POST"),
        ("TRACE", "/api/posts", 405, "GET, HEAD, POST"),
        ("PATCH", "/api/posts", 405, "GET, HEAD, POST"),
        ("PUT", "/api/users/me", 405, "DELETE, GET, HEAD, PATCH"),
        ("DELETE", "/api/users/me/x", 404, None),
        ("POST", "/blog/", 405, "GET, HEAD"),
        ("POST", "/api/openapi.json", 405, "GET, HEAD"),
    ],
)
def test_refusals_are_problems(
    mesh: Mesh, method: str, path: str, status: int, allow: str | None
) -> None:
    reply = mesh.request(method, path)
    assert reply.status == status
    assert reply.headers["content-type"] == "application/problem+json"
    problem = reply.json
    assert set(problem) == MEMBERS
    assert problem["type"] == "about:blank"
    assert problem["status"] == status
    assert problem["instance"] == path
    assert problem["request_id"] == reply.headers["x-request-id"]
    assert reply.headers.get("allow") == allow
    assert mesh.all_seen() == []


def test_an_unknown_method_is_a_problem(mesh: Mesh) -> None:
    reply = mesh.request("BREW", "/api/posts")
    assert reply.status == 400
    assert reply.headers["content-type"] == "application/problem+json"
    assert set(reply.json) == MEMBERS


@pytest.mark.parametrize(
    ("request_text", "status", "instance"),
    [
        (b"GET /health HTTP/1.0\r\n\r\n", 426, ""),
        (b"GET https://localhost/api/posts HTTP/1.1\r\nHost: localhost\r\n\r\n", 403, ""),
        (b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", 404, "*"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nx-large: " + b"a" * 40_000 + b"\r\n\r\n", 431, ""),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"x-many: 1\r\n" * 150 + b"\r\n", 431, ""),
        (b"GET / HTTP/1.1\r\nHost: a\r\nx-slow: ", 408, ""),
        (b"POST /api/posts HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501, ""),
    ],
    ids=["version", "scheme", "asterisk", "large", "many", "slow", "coding"],
)
def test_requests_refused_before_they_have_an_id_get_whole_problems(
    mesh: Mesh, request_text: bytes, status: int, instance: str
) -> None:
    with socket.create_connection((HOST, mesh.ports.http), timeout=12) as connection:
        connection.sendall(request_text)
        response = http.client.HTTPResponse(connection)
        response.begin()
        body = response.read()
    assert response.status == status
    assert response.headers["content-type"] == "application/problem+json"
    problem = json.loads(body)
    assert set(problem) == MEMBERS
    assert problem["status"] == status
    assert re.fullmatch(r"[0-9a-f-]{36}", problem["request_id"])
    assert problem["instance"] == instance


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """An HTTP/2 frame (RFC 9113, 4.1)."""
    head = len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big")
    return head + payload


def _first_data(connection: socket.socket) -> bytes:
    """The payload of the first DATA frame that has one."""
    with connection.makefile("rb") as stream:
        while head := stream.read(9):
            payload = stream.read(int.from_bytes(head[:3], "big"))
            if head[3] == 0 and payload:
                return payload
    raise AssertionError("the connection ended without an answer")


def test_a_request_without_a_path_gets_a_whole_problem(mesh: Mesh) -> None:
    connect = b"\x02\x07CONNECT" + b"\x01\x06a:8080"  # :method and :authority, in HPACK
    begin = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _frame(4, 0, 0, b"")
    with socket.create_connection((HOST, mesh.ports.http), timeout=12) as connection:
        connection.sendall(begin + _frame(1, 0x5, 1, connect))
        problem = json.loads(_first_data(connection))
    assert set(problem) == MEMBERS
    assert (problem["status"], problem["instance"]) == (404, "")
    assert re.fullmatch(r"[0-9a-f-]{36}", problem["request_id"])


def test_hostile_text_in_a_path_stays_text(mesh: Mesh) -> None:
    for path in ('/"}{"', "/%00", "/%ff%fe", "/<script>", "/%22%7d", "/\\u0000", "/%E2%80%A8"):
        reply = mesh.request("GET", path)
        assert reply.status in (400, 404)
        assert set(reply.json) == MEMBERS
