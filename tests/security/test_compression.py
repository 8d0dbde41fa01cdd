"""Pages are compressed at the edge, the API is not, and validators stay true."""

from __future__ import annotations

import gzip
import ssl
from collections.abc import Iterator
from http.client import HTTPSConnection

import pytest

from titanium.mesh import Edge, load_edge

from .harness import ROOT, Answer, Mesh, Reply, Seen, exchange

pytestmark = pytest.mark.e2e

TEXT = b"<!doctype html><title>A page</title>" + b"<p>Words, and again words.</p>" * 100
ETAG = '"0123456789abcdef"'
BROWSER = {"Accept-Encoding": "gzip, deflate, br"}
SAMPLED = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}


@pytest.fixture(scope="module")
def edge() -> Edge:
    return load_edge(ROOT)


@pytest.fixture
def blog(mesh: Mesh) -> Iterator[Mesh]:
    """An app that answers as the blog does: a body, a strong validator, 304 when it is named."""
    mesh.apps["blog-0"].answer = lambda seen: answer(seen, "text/html; charset=utf-8")
    yield mesh
    mesh.clear()


def answer(seen: Seen, content_type: str, body: bytes = TEXT) -> Answer:
    headers = {"content-type": content_type, "etag": ETAG, "cache-control": "no-cache"}
    if ETAG in seen.headers.get("if-none-match", ""):
        return Answer(304, b"", headers)
    return Answer(200, body, headers)


def vary(reply: Reply) -> set[str]:
    return {name.strip().lower() for name in reply.headers.get("vary", "").split(",")}


def test_a_page_is_compressed_for_who_can_read_it(blog: Mesh) -> None:
    plain = blog.request("GET", "/blog/")
    assert plain.body == TEXT
    assert "content-encoding" not in plain.headers
    assert plain.headers["etag"] == ETAG
    gzipped = blog.request("GET", "/blog/", {"Accept-Encoding": "gzip"})
    assert gzipped.headers["content-encoding"] == "gzip"
    assert gzip.decompress(gzipped.body) == TEXT
    smallest = blog.request("GET", "/blog/", BROWSER)
    assert smallest.headers["content-encoding"] == "br"
    assert len(smallest.body) < len(TEXT) / 10
    for reply in (plain, gzipped, smallest):
        assert "accept-encoding" in vary(reply)
        assert reply.headers["content-type"] == "text/html; charset=utf-8"


def test_a_compressed_page_is_asked_for_again_by_its_weak_validator(blog: Mesh) -> None:
    first = blog.request("GET", "/blog/", BROWSER)
    assert first.headers["etag"] == f"W/{ETAG}"
    again = blog.request("GET", "/blog/", {**BROWSER, "If-None-Match": first.headers["etag"]})
    assert (again.status, again.body) == (304, b"")


def test_head_tells_of_a_page_without_sending_it(blog: Mesh) -> None:
    reply = blog.request("HEAD", "/blog/", BROWSER)
    assert (reply.status, reply.body) == (200, b"")


def test_the_api_keeps_its_bytes_and_its_strong_validators(blog: Mesh) -> None:
    """`If-Match` compares them; and no secret is compressed beside what a client sent."""
    blog.apps["blog-0"].answer = lambda seen: answer(seen, "application/json")
    for path in ("/api/posts", "/api/posts/7", "/blog/api/posts/7", "/blog/data"):
        reply = blog.request("GET", path, BROWSER)
        assert (reply.body, reply.headers["etag"]) == (TEXT, ETAG)
        assert "content-encoding" not in reply.headers
        assert "accept-encoding" not in vary(reply)


def test_a_page_under_the_api_is_not_compressed(blog: Mesh) -> None:
    """The routes decide, not the type alone."""
    reply = blog.request("GET", "/api/posts", BROWSER)
    assert reply.headers["content-type"].startswith("text/html")
    assert reply.body == TEXT


def test_types_that_are_named_and_no_others(blog: Mesh, edge: Edge) -> None:
    for content_type in edge.compression.content_types:
        blog.apps["blog-0"].answer = lambda seen, kind=content_type: answer(seen, kind)  # type: ignore[misc]
        reply = blog.request("GET", "/blog/static/some", BROWSER)
        assert reply.headers["content-encoding"] == "br"
    for content_type in ("image/png", "application/octet-stream"):
        blog.apps["blog-0"].answer = lambda seen, kind=content_type: answer(seen, kind)  # type: ignore[misc]
        assert blog.request("GET", "/blog/static/some", BROWSER).body == TEXT


def test_what_is_small_already_stays_as_it_is(blog: Mesh) -> None:
    blog.apps["blog-0"].answer = lambda seen: answer(seen, "text/plain", b"User-agent: *\n")
    reply = blog.request("GET", "/robots.txt", BROWSER)
    assert reply.body == b"User-agent: *\n"


def test_an_error_is_compressed_like_a_page(blog: Mesh) -> None:
    blog.apps["blog-0"].answer = lambda _: Answer(404, TEXT, {"content-type": "text/html"})
    reply = blog.request("GET", "/blog/none", BROWSER)
    assert (reply.status, reply.headers["content-encoding"]) == (404, "br")
    assert "content-security-policy" in reply.headers


def test_a_traced_request_gets_the_same(blog: Mesh) -> None:
    reply = blog.request("GET", "/blog/", {**BROWSER, **SAMPLED})
    assert reply.headers["content-encoding"] == "br"
    assert blog.request("GET", "/api/posts", {**BROWSER, **SAMPLED}).body == TEXT


def test_https_compresses_too(blog: Mesh) -> None:
    context = ssl.create_default_context(cafile=str(blog.authority.certificate_file))
    connection = HTTPSConnection("localhost", blog.ports.https, timeout=10, context=context)
    reply = exchange(connection, "GET", "/blog/", {"Accept-Encoding": "gzip"})
    assert gzip.decompress(reply.body) == TEXT


def test_the_reference_page_of_the_api_is_compressed(mesh: Mesh) -> None:
    """It comes from the gateway itself."""
    reply = mesh.request("GET", "/api/docs", {"Accept-Encoding": "gzip"})
    page = (mesh.home.config / "gateway/docs.html").read_bytes()
    assert gzip.decompress(reply.body) == page
    assert mesh.request("GET", "/api/docs").body == page
