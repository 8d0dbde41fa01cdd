"""A request that is traced goes another way through the gateway: nobody may notice."""

from __future__ import annotations

import json
import secrets
import socket
import ssl
import time
from collections.abc import Iterator
from http.client import HTTPSConnection

import pytest

from titanium.layout import GATEWAY, HOST
from titanium.mesh import Policy, load_policy
from titanium.supervise.protocol import FaultRequest

from .conftest import unlimited
from .harness import MEMBERS, ROOT, Answer, Mesh, Reply, exchange, inject, wait_until

pytestmark = pytest.mark.e2e

ORIGIN = "http://localhost:3000"
MEBIBYTE = 1024 * 1024


def all_traced(policy: Policy) -> Policy:
    always = policy.tracing.model_copy(update={"sampling_percent": 100})
    return policy.model_copy(update={"tracing": always})


@pytest.fixture(scope="module")
def traced_mesh() -> Iterator[Mesh]:
    """Every request is traced, and nobody receives the spans."""
    with Mesh(all_traced(unlimited())) as running:
        yield running


@pytest.fixture
def traced(traced_mesh: Mesh) -> Mesh:
    traced_mesh.clear()
    return traced_mesh


def was_traced(mesh: Mesh) -> bool:
    return "traceparent" in mesh.all_seen()[-1].headers


def lines_of(mesh: Mesh, *identifiers: str) -> list[dict[str, object]]:
    """The access log's lines of these requests, once each has one and a second has passed."""
    path = mesh.home.logs / "gateway-access.log"

    def found() -> list[dict[str, object]]:
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        return [line for line in lines if line["request_id"] in identifiers]

    wait_until(lambda: {line["request_id"] for line in found()} == set(identifiers), "lines", 5)
    time.sleep(1.5)  # a second line would be written by now
    return found()


@pytest.mark.parametrize(
    ("method", "path", "headers", "body"),
    [
        ("GET", "/api/posts", {}, None),
        ("GET", "/blog/api/posts/7?q=a%20b", {"origin": ORIGIN}, None),
        ("POST", "/api/login", {"origin": "http://evil.example"}, b"{}"),
        ("POST", "/api/posts", {}, b"x" * (MEBIBYTE + 1)),
        ("PUT", "/api/posts", {}, b"{}"),
        ("GET", "/nothing", {}, None),
        ("GET", "/api/docs", {}, None),
        ("GET", "/", {}, None),
        ("OPTIONS", "/api/posts", {"origin": ORIGIN, "access-control-request-method": "GET"}, None),
    ],
)
def test_the_answer_is_the_same(
    mesh: Mesh, traced: Mesh, method: str, path: str, headers: dict[str, str], body: bytes | None
) -> None:
    plain, other = (one.request(method, path, headers, body) for one in (mesh, traced))
    # Whether a refused body was read to its end is a matter of microseconds.
    assert set(other.headers) - {"connection"} == set(plain.headers) - {"connection"}
    for name in set(plain.headers) - {"connection", "x-request-id", "date", "ratelimit"}:
        assert other.headers[name] == plain.headers[name]
    assert other.status == plain.status
    if plain.headers.get("content-type") == "application/problem+json":
        assert {**other.json, "request_id": ""} == {**plain.json, "request_id": ""}
    else:
        assert other.body == plain.body


def test_the_application_sees_the_same_request_and_its_trace(mesh: Mesh, traced: Mesh) -> None:
    sent = {"X-Forwarded-For": "203.0.113.7", "Authorization": "Bearer x", "X-Envoy-Internal": "1"}
    for one in (mesh, traced):
        reply = one.request("GET", "/blog/api/posts?q=a%20b", sent, client="127.0.0.7")
        (seen,) = one.all_seen()
        assert seen.headers["x-request-id"] == reply.headers["x-request-id"]
        assert seen.headers["x-forwarded-for"] == "127.0.0.7"
        assert seen.path == "/api/posts?q=a%20b"
    names = set(mesh.all_seen()[0].headers)
    assert set(traced.all_seen()[0].headers) - {"tracestate"} == names | {"traceparent"}


def test_each_request_is_one_line_about_the_client(traced: Mesh) -> None:
    traced.apps["auth-0"].answer = lambda _: Answer(delay=0.2)
    replies = {
        "forwarded": traced.request(
            "GET", "/api/posts?q=secret", {"user-agent": "browser"}, client="127.0.0.8"
        ),
        "slow": traced.request("POST", "/api/login", body=b"12", client="127.0.0.8"),
        "nothing": traced.request("GET", "/nothing", client="127.0.0.8"),
        "too large": traced.request(
            "POST", "/api/posts", body=b"x" * (MEBIBYTE + 1), client="127.0.0.8"
        ),
    }
    identifiers = {name: reply.headers["x-request-id"] for name, reply in replies.items()}
    found = lines_of(traced, *identifiers.values())
    assert len(found) == len(replies)
    lines = {str(line["request_id"]): line for line in found}
    for name, reply in replies.items():
        line = lines[identifiers[name]]
        assert line["client"] == "127.0.0.8"
        assert line["protocol"] == "HTTP/1.1"
        assert line["status"] == reply.status
        assert line["service"] == GATEWAY
    line = lines[identifiers["forwarded"]]
    assert line["path"] == "/api/posts"
    assert line["upstream"] == "blog"
    assert line["user_agent"] == "browser"
    assert "secret" not in json.dumps(line)
    (seen,) = traced.apps["blog-0"].seen
    assert line["trace_id"] == seen.headers["traceparent"][3:35]
    slow = lines[identifiers["slow"]]
    assert 200 <= int(str(slow["duration_ms"])) < 1000
    assert (slow["bytes_in"], slow["bytes_out"]) == (2, len(Answer().body))
    assert lines[identifiers["nothing"]]["trace_id"] is None


def test_a_client_that_leaves_is_one_line(traced: Mesh) -> None:
    traced.apps["blog-0"].answer = lambda _: Answer(delay=1)
    with socket.create_connection((HOST, traced.ports.http)) as client:
        client.sendall(b"GET /api/posts HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_until(lambda: bool(traced.apps["blog-0"].seen), "the request", 5)
    identifier = traced.apps["blog-0"].seen[0].headers["x-request-id"]
    (line,) = lines_of(traced, identifier)
    assert line["flags"] == "DC"
    assert line["trace_id"]


def test_limits_count_traced_and_other_requests_together() -> None:
    half = load_policy(ROOT)
    half = half.model_copy(
        update={"tracing": half.tracing.model_copy(update={"sampling_percent": 50})}
    )
    with Mesh(half) as limited:
        parent = {"traceparent": f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"}
        replies = [
            limited.request("POST", "/api/login", parent if turn % 3 else {}, b"{}")
            for turn in range(12)
        ]
    assert [reply.status for reply in replies] == [200] * 10 + [429] * 2
    remaining = [reply.headers["ratelimit"].partition(";")[2][:3] for reply in replies[:10]]
    assert remaining == [f"r={left}" for left in range(9, -1, -1)]
    assert replies[0].headers["ratelimit-policy"] == '"login";q=10;w=60'
    assert set(replies[-1].json) == MEMBERS


def test_each_request_is_counted_once(traced: Mesh) -> None:
    names = (
        "http.gateway_http.downstream_rq_2xx",
        "cluster.blog.upstream_rq_2xx",
        "limit.http_local_rate_limit.ok",
    )
    before = [traced.counter(GATEWAY, name) for name in names]
    inbound = traced.counter("blog-0", "http.inbound.downstream_rq_2xx")
    for _ in range(5):
        assert traced.request("GET", "/api/posts").status == 200
    assert [traced.counter(GATEWAY, name) for name in names] == [count + 5 for count in before]
    assert traced.counter("blog-0", "http.inbound.downstream_rq_2xx") == inbound + 5
    scraped = traced.admin(GATEWAY, "/stats/prometheus?usedonly").body.decode()
    assert 'envoy_cluster_name="blog"' in scraped
    assert "traced" not in scraped
    assert traced.counter(GATEWAY, "cluster.blog.ssl.handshake") == traced.counter(
        GATEWAY, "cluster.blog.upstream_cx_total"
    )


def test_https_is_traced_in_the_same_way(traced: Mesh) -> None:
    context = ssl.create_default_context(cafile=str(traced.authority.certificate_file))
    connection = HTTPSConnection("localhost", traced.ports.https, timeout=10, context=context)
    reply = exchange(connection, "GET", "/api/posts")
    assert reply.status == 200
    assert reply.headers["strict-transport-security"].startswith("max-age=31536000")
    assert traced.all_seen()[0].headers["x-forwarded-proto"] == "https"
    assert was_traced(traced)


def test_a_body_of_a_mebibyte_arrives_whole(traced: Mesh) -> None:
    body = secrets.token_bytes(MEBIBYTE)
    assert traced.request("POST", "/api/posts", body=body).status == 200
    assert traced.all_seen()[0].body == body


def test_a_slow_client_is_served(traced: Mesh) -> None:
    with socket.create_connection((HOST, traced.ports.http), timeout=10) as client:
        head = "POST /api/login HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        client.sendall(f"{head}Content-Length: 4\r\n\r\n".encode())
        for byte in b"slow":
            time.sleep(0.2)
            client.sendall(bytes([byte]))
        answer = b""
        while piece := client.recv(65536):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert traced.all_seen()[0].body == b"slow"
    (line,) = lines_of(traced, traced.all_seen()[0].headers["x-request-id"])
    assert int(str(line["duration_ms"])) >= 600


def test_a_service_that_is_away_is_a_503_with_a_way_on(traced: Mesh) -> None:
    app = traced.apps["user-0"]
    app.stop()
    try:
        reply: Reply = traced.request("GET", "/api/users/x")
        assert reply.status == 503
        assert reply.headers["retry-after"] == "1"
        assert set(reply.json) == MEMBERS
        assert "cannot be reached" in reply.json["detail"]
        assert not [name for name in reply.headers if name.startswith("x-titanium")]
    finally:
        app.start()


def test_faults_meet_traced_requests_too(traced: Mesh) -> None:
    inject(traced, FaultRequest(abort_status=500))
    reply = traced.request("GET", "/api/posts")
    inject(traced, None)
    assert reply.status == 500
    assert traced.apps["blog-0"].seen == []
