"""What a browser keeps of a session, and what other sites can do with it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.blog.visitor import Visit, Visitor
from tests.support import Person, Platform

pytestmark = pytest.mark.e2e

KEPT = """
async () => JSON.stringify([
  { ...localStorage }, { ...sessionStorage }, document.cookie, await indexedDB.databases(),
  await caches.keys(), document.documentElement.outerHTML,
])
"""
OTHER_SITE = "http://other.example"
ATTACK = """<!doctype html><title>Other</title>
<form id="f" method="post" action="{url}/api/auth/{what}"></form>"""


def log_in(visitor: Visitor, person: Person) -> None:
    """By the form."""
    page = visitor.page
    visitor.go("/blog/login")
    page.locator("[name=username]").fill(person.username)
    page.locator("[name=password]").fill(person.password)
    page.locator("main form button[type=submit]").click()
    page.wait_for_url("**/blog/")
    page.locator("#logout").wait_for()


def serve(tab: Any, body: str) -> None:
    """Show a page of another site."""
    site = f"{OTHER_SITE}/**"
    tab.route(site, lambda route: route.fulfill(body=body, content_type="text/html"))
    tab.goto(f"{OTHER_SITE}/")


def test_the_way_back_to_the_login_shows_no_password(visit: Visit, person: Person) -> None:
    """The browser may have kept the page as it was left."""
    visitor = visit()
    page = visitor.page
    for path in ("/blog/login", "/blog/register"):
        visitor.go(path)
        page.locator("form[data-ready]").wait_for()
        page.locator("[name=password]").fill("a long sentence")
        page.locator("button.reveal").click()
        page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
        assert page.locator("[name=password]").input_value() == ""


def refresh_cookie(visitor: Visitor) -> dict[str, Any]:
    (found,) = [one for one in visitor.context.cookies() if "titanium_refresh" in one["name"]]
    return dict(found)


def test_bar_52_the_cookie_is_for_the_server_alone(
    visit: Visit, platform: Platform, person: Person
) -> None:
    """HttpOnly and SameSite; `__Host-` and Secure on https."""
    for base, secure in ((platform.url, False), (platform.https_url, True)):
        visitor = visit(base=base, ignore_https_errors=secure)
        log_in(visitor, person)
        cookie = refresh_cookie(visitor)
        assert cookie["name"] == ("__Host-titanium_refresh" if secure else "titanium_refresh")
        assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/")
        assert cookie["secure"] is secure


def test_the_access_token_is_in_memory_alone(visit: Visit, person: Person) -> None:
    """Neither storage nor page holds it, nor anything that could be one."""
    visitor = visit()
    tokens: list[str] = []

    def note(route: Any) -> None:
        answer = route.fetch()
        tokens.append(answer.json()["access_token"])
        route.fulfill(response=answer)

    visitor.page.route("**/api/login", note)
    log_in(visitor, person)
    assert tokens
    kept = visitor.page.evaluate(KEPT)
    assert "eyJ" not in kept
    assert all(token not in kept for token in tokens)
    assert refresh_cookie(visitor)["value"] not in kept


@pytest.mark.parametrize("what", ["logout", "refresh"])
def test_bar_52_another_site_changes_nothing(
    visit: Visit, platform: Platform, person: Person, what: str
) -> None:
    """A form, a fetch with cookies, a frame: the session goes on."""
    visitor = visit(person)
    visitor.expect(
        "CORS", "ERR_FAILED", "X-Frame-Options", "frame-ancestors", "Refused to", 401, 403
    )
    visitor.go("/blog/account")
    visitor.page.locator("main", has_text=person.username).wait_for()
    cookie = refresh_cookie(visitor)
    other = visitor.tab()
    serve(other, ATTACK.format(url=platform.url, what=what))
    other.evaluate(
        """async (url) => fetch(url, { method: "POST", credentials: "include", mode: "no-cors" })
             .catch(() => null)""",
        f"{platform.url}/api/auth/{what}",
    )
    with other.expect_navigation(url="**/api/auth/**"):
        other.locator("#f").evaluate("(form) => form.submit()")
    assert refresh_cookie(visitor)["value"] == cookie["value"]
    visitor.page.reload()
    visitor.page.locator("main", has_text=person.username).wait_for()


def test_no_page_can_be_framed(visit: Visit, platform: Platform) -> None:
    visitor = visit()
    visitor.expect("frame", "ERR_BLOCKED_BY_RESPONSE")
    page = visitor.page
    body = f'<!doctype html><title>Other</title><iframe src="{platform.url}/blog/login"></iframe>'
    serve(page, body)
    assert page.frames[1].locator("form").count() == 0


def test_every_page_carries_the_policy(visit: Visit) -> None:
    """From the gateway, also with what the service says is not there."""
    visitor = visit()
    visitor.expect(404)
    for path in ("/blog/", "/blog/login", "/blog/write", "/blog/nowhere", "/blog/feed.xml"):
        headers = visitor.context.request.get(visitor.url + path).headers
        policy = headers["content-security-policy"]
        assert "unsafe" not in policy
        for rule in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"):
            assert rule in policy
        for rule in ("object-src 'none'", "base-uri 'none'", "form-action 'self'"):
            assert rule in policy
        assert headers["referrer-policy"] == "strict-origin-when-cross-origin"
        assert headers["x-content-type-options"] == "nosniff"
        assert "camera=()" in headers["permissions-policy"]
