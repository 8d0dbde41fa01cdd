"""What the edge answers: limits, headers, CORS, problems, its own pages."""

from __future__ import annotations

import http.client
import json
import re
import ssl
import time
from collections.abc import Iterator

import pytest

from titanium.layout import GATEWAY

from .conftest import unlimited
from .harness import MEMBERS, Answer, Mesh, Reply, exchange, wait_until

pytestmark = pytest.mark.e2e

ORIGIN = "http://localhost:3000"


@pytest.fixture(scope="module")
def limited() -> Iterator[Mesh]:
    """A mesh with the real limits; every test is a client address of its own."""
    with Mesh() as running:
        yield running


def login(mesh: Mesh, client: str, path: str = "/api/login") -> Reply:
    return mesh.request("POST", path, body=b"{}", client=client)


def test_the_eleventh_login_in_a_minute_is_429(limited: Mesh) -> None:
    replies = [login(limited, "127.0.1.1") for _ in range(11)]
    assert [reply.status for reply in replies] == [200] * 10 + [429]
    assert replies[0].headers["ratelimit"] == '"login";r=9;t=0'
    assert replies[0].headers["ratelimit-policy"] == '"login";q=10;w=60'
    refused = replies[-1]
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["content-type"] == "application/problem+json"
    assert set(refused.json) == MEMBERS
    assert refused.json["status"] == 429
    assert refused.json["title"] == "Too Many Requests"
    assert re.fullmatch(r'"login";r=0;t=\d+', refused.headers["ratelimit"])
    assert not [name for name in refused.headers if name.startswith(("x-ratelimit", "x-envoy"))]


def test_limits_count_each_client_by_itself(limited: Mesh) -> None:
    for _ in range(11):
        last = login(limited, "127.0.1.2")
    assert last.status == 429
    assert login(limited, "127.0.1.3").status == 200
    forged = {"X-Forwarded-For": "127.0.1.99"}
    assert limited.request("POST", "/api/login", forged, b"{}", client="127.0.1.2").status == 429


def test_a_page_of_another_origin_can_read_that_it_is_limited(limited: Mesh) -> None:
    for _ in range(11):
        reply = limited.request("POST", "/api/login", {"Origin": ORIGIN}, b"{}", client="127.0.1.7")
    assert reply.status == 429
    assert reply.headers["access-control-allow-origin"] == ORIGIN
    assert "retry-after" in reply.headers["access-control-expose-headers"]


def test_all_paths_of_a_class_share_one_budget(limited: Mesh) -> None:
    client = "127.0.1.4"
    paths = ["/api/login", "/api/register", "/blog/api/login", "/blog/api/register", "/api//login"]
    for number in range(10):
        assert login(limited, client, paths[number % 5]).status == 200
    assert [login(limited, client, path).status for path in paths] == [429] * 5
    assert limited.request("GET", "/api/posts", client=client).status == 200


def test_reads_allow_a_burst_of_200_then_100_a_second(limited: Mesh) -> None:
    client = "127.0.1.5"
    connection = http.client.HTTPConnection(
        "127.0.0.1", limited.ports.http, timeout=10, source_address=(client, 0)
    )
    start = time.monotonic()
    statuses = []
    for _ in range(400):
        connection.request("GET", "/api/posts")
        response = connection.getresponse()
        response.read()
        statuses.append(response.status)
    elapsed = time.monotonic() - start
    connection.close()
    passed = statuses.count(200)
    assert 200 <= passed <= 200 + 100 * elapsed + 6
    assert statuses[:200] == [200] * 200
    assert 429 in statuses
    time.sleep(0.5)
    replies = [limited.request("GET", "/api/posts", client=client).status for _ in range(30)]
    assert replies == [200] * 30


def test_unknown_paths_and_own_pages_are_limited_too(limited: Mesh) -> None:
    client = "127.0.1.6"
    connection = http.client.HTTPConnection(
        "127.0.0.1", limited.ports.http, timeout=10, source_address=(client, 0)
    )
    statuses = set()
    for number in range(400):
        path = ("/nothing", "/api/docs", "/", "/internal/x")[number % 4]
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        statuses.add(response.status)
    connection.close()
    assert 429 in statuses


HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "strict-origin-when-cross-origin",
    "cross-origin-opener-policy": "same-origin",
    "server": "titanium",
}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/posts", 200),
        ("GET", "/", 307),
        ("GET", "/health", 200),
        ("GET", "/api/docs", 200),
        ("GET", "/nothing", 404),
        ("DELETE", "/api/categories", 405),
        ("GET", "/api/posts;x", 400),
        ("GET", "/api%2Fposts", 400),
    ],
)
def test_bar_55_every_answer_carries_the_security_headers(
    mesh: Mesh, method: str, path: str, status: int
) -> None:
    reply = mesh.request(method, path)
    assert reply.status == status
    for name, value in HEADERS.items():
        assert reply.headers[name] == value
    policy = reply.headers["content-security-policy"]
    assert "unsafe-inline" not in policy
    assert "object-src 'none'" in policy
    assert "base-uri 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "permissions-policy" in reply.headers
    assert "date" in reply.headers
    assert "strict-transport-security" not in reply.headers
    assert not [name for name in reply.headers if name.startswith(("x-envoy", "x-titanium"))]


def test_an_app_may_send_a_content_security_policy_of_its_own(mesh: Mesh) -> None:
    own = "default-src 'none'; frame-ancestors 'none'"
    headers = {"content-security-policy": own, "x-content-type-options": "sniff", "server": "app"}
    mesh.apps["blog-0"].answer = lambda _: Answer(headers=headers)
    reply = mesh.request("GET", "/blog/")
    assert reply.headers["content-security-policy"] == own
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["server"] == "titanium"


def https(mesh: Mesh, host: str, path: str, context: ssl.SSLContext) -> Reply:
    connection = http.client.HTTPSConnection(host, mesh.ports.https, timeout=10, context=context)
    return exchange(connection, "GET", path)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_bar_55_https_works_with_our_authority_and_sends_hsts(mesh: Mesh, host: str) -> None:
    context = ssl.create_default_context(cafile=str(mesh.authority.certificate_file))
    reply = https(mesh, host, "/api/posts", context)
    assert reply.status == 200
    assert reply.headers["strict-transport-security"].startswith("max-age=31536000")
    assert mesh.all_seen()[0].headers["x-forwarded-proto"] == "https"


def test_https_refuses_versions_before_1_2(mesh: Mesh) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(OSError, match=r"(?i)protocol|alert|reset|eof|version"):
        https(mesh, "localhost", "/", context)


def test_cors_preflight_of_an_allowed_origin_is_answered(mesh: Mesh) -> None:
    headers = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "authorization",
    }
    reply = mesh.request("OPTIONS", "/api/posts/1", headers)
    assert reply.status == 200
    assert reply.headers["access-control-allow-origin"] == ORIGIN
    assert "PATCH" in reply.headers["access-control-allow-methods"]
    assert "authorization" in reply.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in reply.headers
    assert mesh.all_seen() == []


def test_cors_answers_can_be_read_by_an_allowed_origin_only(mesh: Mesh) -> None:
    path = "/api/posts"
    allowed = mesh.request("GET", path, {"Origin": ORIGIN})
    assert allowed.headers["access-control-allow-origin"] == ORIGIN
    assert "etag" in allowed.headers["access-control-expose-headers"]
    for origin in ("http://evil.example", "null", f"{ORIGIN}.evil.example", "http://localhost"):
        refused = mesh.request("GET", path, {"Origin": origin})
        assert "access-control-allow-origin" not in refused.headers
    for origin in ({"Origin": ORIGIN}, {"Origin": "null"}, {}):
        assert mesh.request("GET", path, origin).headers["vary"] == "origin"
    preflight = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    reply = mesh.request("OPTIONS", "/api/posts", preflight)
    assert "access-control-allow-origin" not in reply.headers


@pytest.mark.parametrize("prefix", ["", "/blog"])
def test_the_older_prefix_answers_as_the_api_does(mesh: Mesh, prefix: str) -> None:
    assert mesh.request("GET", f"{prefix}/api/posts/7?q=a%20b").status == 200
    assert mesh.all_seen()[-1].path == "/api/posts/7?q=a%20b"
    assert mesh.request("POST", f"{prefix}/api/login", body=b"{}").status == 200
    assert mesh.all_seen()[0].path == "/api/login" or mesh.apps["auth-0"].seen
    assert mesh.request("GET", f"{prefix}/api/openapi.json").json == {"openapi": "3.1.0"}
    page = mesh.request("GET", f"{prefix}/api/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"


def test_the_front_page_is_the_blog(mesh: Mesh) -> None:
    reply = mesh.request("GET", "/")
    assert reply.status == 307
    assert reply.headers["location"] == "/blog/"


def test_health_is_ok_when_every_service_is_ready(mesh: Mesh) -> None:
    reply = mesh.request("GET", "/health")
    assert reply.status == 200
    assert reply.json == {"status": "ok"}
    assert {seen.path for seen in mesh.all_seen()} == {"/internal/readyz"}
    assert len(mesh.all_seen()) == len(mesh.apps)
    assert mesh.request("HEAD", "/health").status == 200


def test_health_names_what_is_not_ready(mesh: Mesh) -> None:
    mesh.apps["user-0"].answer = lambda _: Answer(status=503)
    mesh.apps["auth-0"].answer = lambda _: Answer(delay=5)
    start = time.monotonic()
    reply = mesh.request("GET", "/health")
    assert time.monotonic() - start < 3
    assert reply.status == 503
    assert reply.headers["content-type"] == "application/problem+json"
    assert set(reply.json) == MEMBERS | {"checks"}
    assert reply.json["detail"] == "Not ready: auth, user."
    assert reply.json["checks"] == {"auth": "failing", "blog": "ok", "user": "failing"}


def test_a_service_that_is_away_is_a_503_with_a_way_on(mesh: Mesh) -> None:
    app = mesh.apps["user-0"]
    app.stop()
    try:
        reply = mesh.request("GET", "/api/users/x")
        assert reply.status == 503
        assert reply.headers["retry-after"] == "1"
        assert set(reply.json) == MEMBERS
        assert "cannot be reached" in reply.json["detail"]
        assert not [name for name in reply.headers if name.startswith("x-titanium")]
    finally:
        app.start()


def test_every_request_is_one_line_in_the_access_log(mesh: Mesh) -> None:
    reply = mesh.request("GET", "/api/posts?q=secret", {"User-Agent": 'a"b\\c'}, client="127.0.0.8")
    identifier = reply.headers["x-request-id"]
    path = mesh.home.logs / "gateway-access.log"
    wait_until(lambda: identifier in path.read_text(), "the line", 5)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    (line,) = [one for one in lines if one["request_id"] == identifier]
    assert line["service"] == GATEWAY
    assert line["method"] == "GET"
    assert line["path"] == "/api/posts"
    assert line["status"] == 200
    assert line["client"] == "127.0.0.8"
    assert line["upstream"] == "blog"
    assert line["user_agent"] == 'a"b\\c'
    assert line["duration_ms"] >= 0
    assert "secret" not in json.dumps(line)


def test_sidecars_log_what_they_denied(mesh: Mesh) -> None:
    mesh.egress("auth-0", "blog.titanium.internal", "GET", "/api/denied")
    mesh.request("GET", "/api/posts/passed")
    path = mesh.home.log("auth-0-sidecar")
    wait_until(lambda: "/api/denied" in path.read_text(), "the line", 5)
    line = json.loads(next(one for one in path.read_text().splitlines() if "/api/denied" in one))
    assert line["status"] == 403
    assert (line["service"], line["instance"]) == ("auth", "auth-0")
    assert line["event"] == "egress"
    assert "/api/posts/passed" not in mesh.home.log("blog-0-sidecar").read_text()


def test_two_platforms_run_side_by_side(mesh: Mesh) -> None:
    with Mesh(unlimited()) as other:
        assert other.ports.http != mesh.ports.http
        assert other.request("GET", "/health").status == 200
        assert mesh.request("GET", "/health").status == 200
