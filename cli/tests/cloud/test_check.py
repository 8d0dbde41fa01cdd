"""The smoke test, against a small server that answers as the platform does, or does not."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from cli.tests.cloud.conftest import FakeKubectl
from titanium.cloud import check, failover
from titanium.cloud.kubectl import Kubectl
from titanium.errors import TitaniumError, UnhealthyError

pytestmark = pytest.mark.integration


class Platform(ThreadingHTTPServer):
    """What the public contract says, as far as the check asks; `broken` answers 500."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.posts: dict[int, dict[str, Any]] = {}
        self.accounts: set[str] = set()
        self.broken: set[str] = set()
        self.refuse_next = 0
        self.forget = False
        self.number = 0


class Handler(BaseHTTPRequestHandler):
    server: Platform

    def log_message(self, *_: object) -> None:
        return

    def do_GET(self) -> None:
        self.answer("GET")

    def do_POST(self) -> None:
        self.answer("POST")

    def do_PATCH(self) -> None:
        self.answer("PATCH")

    def do_DELETE(self) -> None:
        self.answer("DELETE")

    def answer(self, method: str) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        sent = json.loads(body) if body else {}
        path = self.path.partition("?")[0]
        status, said = self.decide(method, path, sent)
        if path in self.server.broken:
            status = 500
        data = said.encode() if isinstance(said, str) else json.dumps(said).encode()
        self.send_response(status)
        page = path == "/blog/"
        self.send_header("content-type", "text/html" if page else "application/json")
        self.send_header("x-content-type-options", "nosniff")
        self.send_header("content-length", str(len(data)))
        if path == "/":
            self.send_header("location", "/blog/")
        self.end_headers()
        self.wfile.write(data)

    def decide(self, method: str, path: str, sent: dict[str, Any]) -> tuple[int, Any]:
        fixed = {
            "/health": (200, {"status": "ok"}), "/": (307, ""), "/blog/": (200, "<html>"),
            "/api/categories": (200, []), "/blog/api/categories": (200, []),
        }  # fmt: skip
        if path in fixed:
            return fixed[path]
        if path == "/api/register":
            self.server.accounts.add(sent["username"])
            return 201, {}
        if path == "/api/login":
            return 200, {"access_token": sent["username"]}
        if path == "/api/users/me":
            self.server.accounts.discard(self.person or "")
            return 204, ""
        if path.startswith("/api/posts"):
            return self.posts(method, path, sent)
        return 404, ""

    @property
    def person(self) -> str | None:
        return (self.headers.get("authorization") or "").removeprefix("Bearer ") or None

    def posts(self, method: str, path: str, sent: dict[str, Any]) -> tuple[int, Any]:
        server = self.server
        if method == "POST":
            if self.person is None:
                return 401, {}
            if server.refuse_next:
                server.refuse_next -= 1
                return 503, {}
            server.number += 1
            post = {"id": server.number, "author": self.person, "content_html": "<em>many</em>"}
            if not server.forget:
                server.posts[server.number] = post
            return 201, post
        number = path.removeprefix("/api/posts").strip("/")
        if not number:
            return 200, []
        if int(number) not in server.posts:
            return 404, {}
        if method == "DELETE":
            del server.posts[int(number)]
            return 204, ""
        return 200, server.posts[int(number)]


@pytest.fixture
def platform() -> Iterator[Platform]:
    server = Platform()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def site(platform: Platform) -> check.Site:
    return check.Site(f"http://127.0.0.1:{platform.server_address[1]}", timeout=5)


def test_a_platform_that_keeps_the_contract_passes_and_is_left_as_it_was(
    platform: Platform,
) -> None:
    """The account and its post are gone."""
    said: list[str] = []
    assert check.check(site(platform), said.append) == 0
    assert len(said) == 11
    assert platform.accounts == set()
    assert platform.posts == {}


def test_reading_only_makes_no_account(platform: Platform) -> None:
    """For production."""
    said: list[str] = []
    assert check.check(site(platform), said.append, read_only=True) == 0
    assert platform.number == 0
    assert len(said) == 7


@pytest.mark.parametrize(
    ("broken", "title", "failures"),
    [("/health", "the edge and every service are well", 1), ("/blog/", "the blog's pages", 1),
     ("/api/login", "an account can be made", 1), ("/api/posts/1", "it can be read at once", 3)],
)  # fmt: skip
def test_each_failure_is_named_and_counted(
    platform: Platform, broken: str, title: str, failures: int
) -> None:
    """What was seen stands behind it; the other checks still run."""
    platform.broken.add(broken)
    said: list[str] = []
    assert check.check(site(platform), said.append) == failures
    assert any(line.startswith(f"  FAILED   {title}") and "500" in line for line in said)


def test_nobody_there_is_one_error_with_a_next_step() -> None:
    """Not a list of failed checks."""
    with pytest.raises(UnhealthyError, match="does not answer") as caught:
        check.check(check.Site("http://127.0.0.1:9", timeout=1), lambda _: None)
    assert "minikube service gateway" in caught.value.hint
    with pytest.raises(TitaniumError, match="is not an address"):
        check.Site("localhost:8080")


def test_the_address_is_found_by_node_and_port(chosen: FakeKubectl) -> None:
    """The gateway's NodePort at the first node."""
    chosen.answer("get service gateway", {"spec": {"ports": [{"nodePort": 30080}]}})
    address = {"type": "InternalIP", "address": "192.168.49.2"}
    chosen.answer("get nodes", {"items": [{"status": {"addresses": [address]}}]})
    assert check.default_url(Kubectl(None, "titanium")) == "http://192.168.49.2:30080"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pauses of a test against a real cluster would take half a minute."""
    monkeypatch.setattr(failover, "PAUSE", 0.01)
    monkeypatch.setattr(failover, "STEADY", 1)


def test_a_failover_is_measured_and_confirmed_posts_are_read_back(
    platform: Platform, chosen: FakeKubectl, quick: None
) -> None:
    """Refused writes do not count as lost; the leader's pod is deleted at once."""
    chosen.answer("get pods", {"items": [{"metadata": {"name": "titanium-db-2"}}]})
    chosen.answer("delete pod titanium-db-2")
    platform.refuse_next = 3
    outcome = failover.failover(Kubectl(None, "titanium"), site(platform), 20, lambda _: None)
    failover.require(outcome, 20)
    assert outcome.refused == 3
    assert outcome.lost == []
    assert "--grace-period=0 --force" in chosen.lines[-1]
    assert platform.accounts == set()


def test_a_lost_post_and_a_long_gap_fail(
    platform: Platform, chosen: FakeKubectl, quick: None
) -> None:
    """A write that was confirmed and is gone is the worse of both."""
    chosen.answer("get pods", {"items": [{"metadata": {"name": "postgres-0"}}]})
    chosen.answer("delete pod")
    platform.forget = True
    outcome = failover.failover(Kubectl(None, "titanium"), site(platform), 20, lambda _: None)
    with pytest.raises(TitaniumError, match="confirmed posts are gone"):
        failover.require(outcome, 20)
    outcome.lost, outcome.gap = [], 40.0
    with pytest.raises(UnhealthyError, match=r"no post could be written for 40\.0 s"):
        failover.require(outcome, 35)
