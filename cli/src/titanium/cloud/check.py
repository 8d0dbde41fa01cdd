"""The smoke test: the public contract, asked from outside as a reader and an author would."""

from __future__ import annotations

import http.client
import json
import secrets
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from titanium.cloud.kubectl import Kubectl, Say
from titanium.errors import UnhealthyError, UsageError

OK, CREATED, EMPTY, REDIRECT, REFUSED, UNKNOWN = 200, 201, 204, 307, 401, 404


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers (names in lower case) and body of a response."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            raise FailedCheckError(
                f"answered {self.status} with something that is not JSON"
            ) from None


class FailedCheckError(Exception):
    """A check did not hold; its text says what was seen."""


class Site:
    """HTTP requests to one address. UnhealthyError when nobody answers there."""

    def __init__(self, url: str, timeout: float = 10) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(f"{url} is not an address", "Give one like http://192.0.2.10:30080")
        self.url = url.rstrip("/")
        self._secure = parts.scheme == "https"
        self._host, self._port = parts.hostname, parts.port
        self._base = parts.path.rstrip("/")
        self._timeout = timeout

    def ask(self, method: str, path: str, body: object = None, token: str | None = None) -> Answer:
        """One request on a connection of its own, as a load balancer would spread them."""
        headers = {"accept": "*/*", "user-agent": "titanium-check"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["content-type"] = "application/json"
        connection = self._connect()
        try:
            connection.request(method, self._base + path, data, headers)
            response = connection.getresponse()
            names = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, names, response.read())
        except (OSError, http.client.HTTPException) as error:
            raise UnhealthyError(
                f"{self.url} does not answer: {type(error).__name__}: {error}",
                "Is the address right, and can it be reached from here? On Minikube: "
                "minikube service gateway --namespace titanium --url",
            ) from None
        finally:
            connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        if self._secure:
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(
                self._host, self._port, timeout=self._timeout, context=context
            )
        return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)


@dataclass(frozen=True, slots=True)
class Account:
    """A fresh account of a check: its name, password and access token."""

    name: str
    password: str
    token: str


@contextmanager
def account(site: Site) -> Iterator[Account]:
    """An account that is deleted, with its posts, at the end."""
    name, password = f"check-{secrets.token_hex(5)}", secrets.token_urlsafe(16)
    person = {"username": name, "email": f"{name}@example.com", "password": password}
    _expect(site.ask("POST", "/api/register", person), CREATED)
    token = str(_expect(site.ask("POST", "/api/login", person), OK).json()["access_token"])
    try:
        yield Account(name, password, token)
    finally:
        site.ask("DELETE", "/api/users/me", {"password": password}, token)


def check(site: Site, say: Say, *, read_only: bool = False) -> int:
    """Run every check and say how it went; how many failed."""
    failures = 0
    for title, run in _reading(site):
        failures += not _passes(title, run, say)
    if read_only:
        return failures
    try:
        with account(site) as person:
            for title, run in _writing(site, person):
                failures += not _passes(title, run, say)
    except FailedCheckError as error:
        say(f"  FAILED   an account can be made and logged in to: {error}")
        return failures + 1
    return failures


Check = tuple[str, Callable[[], object]]


def _passes(title: str, run: Callable[[], object], say: Say) -> bool:
    began = time.monotonic()
    try:
        run()
    except FailedCheckError as error:
        say(f"  FAILED   {title}: {error}")
        return False
    say(f"  ok       {title} ({(time.monotonic() - began) * 1000:.0f} ms)")
    return True


def _expect(answer: Answer, status: int) -> Answer:
    if answer.status != status:
        detail = answer.body[:200].decode(errors="replace").strip()
        raise FailedCheckError(f"answered {answer.status} instead of {status}: {detail}")
    return answer


def _true(holds: bool, otherwise: str) -> None:
    if not holds:
        raise FailedCheckError(otherwise)


def _reading(site: Site) -> Iterator[Check]:
    def health() -> None:
        answer = _expect(site.ask("GET", "/health"), OK)
        _true(answer.json().get("status") == "ok", "the status is not ok")

    def start() -> None:
        answer = _expect(site.ask("GET", "/"), REDIRECT)
        _true(answer.headers.get("location", "").endswith("/blog/"), "leads elsewhere")

    def pages() -> None:
        answer = _expect(site.ask("GET", "/blog/"), OK)
        _true("text/html" in answer.headers.get("content-type", ""), "is not a page")
        _true(answer.headers.get("x-content-type-options") == "nosniff", "lacks nosniff")

    def posts() -> None:
        found = _expect(site.ask("GET", "/api/posts?limit=5"), OK).json()
        _true(isinstance(found, list), "is not a list")

    def older() -> None:
        new, old = (
            site.ask("GET", path).body for path in ("/api/categories", "/blog/api/categories")
        )
        _true(new == old, "/blog/api answers otherwise than /api")

    def internal() -> None:
        _expect(site.ask("GET", "/internal/readyz"), UNKNOWN)
        _expect(site.ask("GET", "/blog/../internal/readyz"), UNKNOWN)

    def stranger() -> None:
        _expect(site.ask("POST", "/api/posts", {"title": "t", "content": "c"}), REFUSED)

    yield "the edge and every service are well", health
    yield "the start leads to the blog", start
    yield "the blog's pages", pages
    yield "the list of posts", posts
    yield "addresses of older clients", older
    yield "internal paths are not reachable", internal
    yield "writing needs a token", stranger


def _writing(site: Site, person: Account) -> Iterator[Check]:
    made: dict[str, Any] = {}

    def write() -> None:
        post = {"title": f"Check of {person.name}", "content": "One of *many*."}
        answer = _expect(site.ask("POST", "/api/posts", post, person.token), CREATED)
        made.update(answer.json())

    def read() -> None:
        found = _expect(site.ask("GET", f"/api/posts/{made.get('id')}"), OK).json()
        _true(found["author"] == person.name, "another author")
        _true("<em>many</em>" in found["content_html"], "Markdown was not rendered")

    def change() -> None:
        path, title = f"/api/posts/{made.get('id')}", {"title": "Changed"}
        _expect(site.ask("PATCH", path, title, person.token), OK)

    def delete() -> None:
        path = f"/api/posts/{made.get('id')}"
        _expect(site.ask("DELETE", path, token=person.token), EMPTY)
        _expect(site.ask("GET", path), UNKNOWN)

    yield "a post is written", write
    yield "it can be read at once", read
    yield "its author can change it", change
    yield "its author can delete it", delete


def default_url(kubectl: Kubectl) -> str:
    """Where the gateway's NodePort answers; UsageError when the address must be given."""
    service = kubectl.json("get", "service", "gateway")
    port = next((one.get("nodePort") for one in service["spec"]["ports"]), None)
    addresses = [
        address["address"]
        for node in kubectl.items("get", "nodes")
        for address in node["status"]["addresses"]
        if address["type"] in ("ExternalIP", "InternalIP")
    ]
    if port is None or not addresses:
        raise UsageError(
            "the gateway of this cluster has no node port", "Give the address: check https://..."
        )
    return f"http://{addresses[0]}:{port}"
