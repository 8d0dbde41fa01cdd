"""Cookies, origins and client addresses."""

from __future__ import annotations

import pytest
from fastapi import Request

from titanium_auth.http.cookies import own_cookie, set_cookie
from titanium_auth.http.dependencies import client_address
from titanium_auth.settings import AuthSettings
from titanium_kit.problems import Problem

pytestmark = pytest.mark.unit

PUBLIC = "http://127.0.0.1:8080"


def request(*headers: tuple[str, str]) -> Request:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers]
    server = ("test", 80)
    return Request(
        {
            "type": "http",
            "method": "POST",
            "path": "/",
            "query_string": b"",
            "headers": raw,
            "scheme": "http",
            "server": server,
        }
    )


HTTPS = ("x-forwarded-proto", "https")


def test_bar_52_cookie_behind_https() -> None:
    """`__Host-`, Secure, HttpOnly, SameSite=Strict, no Domain."""
    value = set_cookie(request(HTTPS), "v", 60)
    assert value == (
        "__Host-titanium_refresh=v; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure"
    )


def test_bar_52_cookie_on_a_plain_connection() -> None:
    """The same without what browsers refuse there."""
    value = set_cookie(request(), "v", 60)
    assert value == "titanium_refresh=v; Path=/; Max-Age=60; HttpOnly; SameSite=Strict"


def test_each_connection_reads_its_own_cookie() -> None:
    """A cookie that a plain connection could have planted does not count over https."""
    both = ("cookie", "titanium_refresh=plain; __Host-titanium_refresh=secure")
    assert own_cookie(request(both), PUBLIC) == "plain"
    assert own_cookie(request(both, HTTPS), PUBLIC) == "secure"
    assert own_cookie(request(), PUBLIC) is None


@pytest.mark.parametrize(
    "headers",
    [
        [("sec-fetch-site", "cross-site")],
        [("sec-fetch-site", "same-site")],
        [("origin", "https://evil.example")],
        [("origin", "null")],
        [("origin", "http://127.0.0.1:3000")],
        [("origin", "http://auth"), ("host", "auth"), ("x-forwarded-host", "blog.local")],
        [("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")],
    ],
)
def test_bar_52_cookie_of_a_foreign_page_is_refused(headers: list[tuple[str, str]]) -> None:
    """Other sites, other ports, sandboxed frames."""
    with pytest.raises(Problem) as caught:
        own_cookie(request(("cookie", "titanium_refresh=v"), *headers), PUBLIC)
    assert caught.value.status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("sec-fetch-site", "none")],
        [("sec-fetch-site", "same-origin"), ("origin", PUBLIC)],
        [("origin", "http://blog.local:8080"), ("host", "blog.local:8080")],
        # A gateway in a cluster asks for the service by its name, and says what it was asked for.
        [
            ("origin", "http://blog.local:8080"),
            ("host", "auth"),
            ("x-forwarded-host", "balancer.example, blog.local:8080"),
        ],
    ],
)
def test_cookie_of_our_own_pages_counts(headers: list[tuple[str, str]]) -> None:
    """No page at all, the public address, or the address that the browser asked."""
    assert own_cookie(request(("cookie", "titanium_refresh=v"), *headers), PUBLIC) == "v"


@pytest.mark.parametrize(
    ("headers", "hops", "address"),
    [
        ([("x-forwarded-for", "192.0.2.1")], 1, "192.0.2.1"),
        ([("x-forwarded-for", "10.9.9.9, 192.0.2.1")], 1, "192.0.2.1"),
        ([("x-forwarded-for", "10.9.9.9"), ("x-forwarded-for", "192.0.2.1")], 1, "192.0.2.1"),
        ([("x-forwarded-for", "spoofed, 192.0.2.1, 203.0.113.5")], 2, "192.0.2.1"),
        ([("x-forwarded-for", "192.0.2.1")], 2, "192.0.2.1"),
        ([("x-forwarded-for", " , ")], 1, "direct"),
        ([("x-envoy-external-address", "10.9.9.9")], 1, "direct"),
    ],
)
async def test_bar_34_client_address_is_what_our_proxies_saw(
    headers: list[tuple[str, str]], hops: int, address: str
) -> None:
    """What a client writes into the header itself does not count."""
    settings = AuthSettings(service="auth", environment="development", trusted_hops=hops)
    assert await client_address(request(*headers), settings) == address
