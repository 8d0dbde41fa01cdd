"""Bar 51: more than a hundred texts that would like to be scripts, in every field; none runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from services.blog.tests.payloads import PAYLOADS
from tests.browser.blog.checks import script
from tests.browser.blog.visitor import Visitor
from tests.support import Person, Platform, wait_until

pytestmark = pytest.mark.e2e

Visit = Callable[..., Visitor]
# Whatever a payload calls comes here, from every frame.
TRAP = "for (const name of ['alert', 'confirm', 'prompt', 'msgbox']) window[name] = window.__ran;"


class Trapped:
    """A visitor whose pages tell when something ran."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.ran: list[str] = []
        context = visitor.context
        context.expose_binding("__ran", lambda source, *said: self._note(source, said))
        context.add_init_script(TRAP)
        # What texts point to is elsewhere: it is never asked for.
        context.route(lambda url: not url.startswith(visitor.url), lambda route: route.abort())
        visitor.expect("ERR_FAILED", 404)

    def _note(self, source: Any, said: tuple[Any, ...]) -> None:
        self.ran.append(f"{source['page'].url}: {said}")

    def look(self, path: str) -> None:
        """Open a page and see that nothing ran, or waits for a click."""
        self.visitor.go(path)
        self.check()

    def check(self) -> None:
        page = self.visitor.page
        assert page.evaluate(script("sleeping")) == [], page.url
        assert self.ran == []
        assert self.visitor.unexpected() == [], page.url


@pytest.fixture
def hostile(platform: Platform) -> tuple[Person, list[int]]:
    """Somebody who put every payload into every field of a post of its own."""
    person = platform.register()
    ids = []
    for payload in PAYLOADS:
        body = {
            "title": payload[:200],
            "content": f"{payload}\n\na {payload} b\n\n- {payload}\n\n> {payload}",
            "category_name": payload[:50],
        }
        answer = platform.client.post("/api/posts", json=body, headers=person.bearer)
        assert answer.status_code == 201, payload
        ids.append(answer.json()["id"])
    return person, ids


def test_a_script_would_be_seen(visit: Visit) -> None:
    """The check itself: the payloads run, and leave traces, where nothing cleans them."""
    trapped = Trapped(visit())
    page = trapped.visitor.page
    page.goto("about:blank")
    with page.expect_event("console", lambda said: said.text == "loaded"):
        page.set_content("<img src=x: onerror='alert(1)'><script>console.log('loaded')</script>")
    wait_until(lambda: bool(trapped.ran), 5, "the script is seen")
    page.set_content(" ".join(PAYLOADS[:30]) + "<p onclick='alert(1)'>x</p>")
    assert page.evaluate(script("sleeping"))
    trapped.visitor.errors.clear()  # what the payloads said


def test_bar_51_no_payload_runs_where_it_is_read(
    visit: Visit, platform: Platform, hostile: tuple[Person, list[int]]
) -> None:
    """Every post's page; every list that shows them; the feeds."""
    person, ids = hostile
    reader = Trapped(visit())
    for number in ids:
        reader.look(f"/blog/posts/{number}")
    reader.look(f"/blog/authors/{person.username}")
    address: str | None = "/blog/"
    while address:
        reader.look(address)
        following = reader.visitor.page.locator("a[rel=next]")
        address = following.get_attribute("href") if following.count() else None
    assert platform.client.get("/blog/feed.xml").status_code == 200


def test_bar_51_no_payload_runs_in_an_address(visit: Visit) -> None:
    """What a link makes a page say."""
    reader = Trapped(visit())
    for number, payload in enumerate(PAYLOADS):
        ways = (
            "/blog/?" + urlencode({"q": payload}),
            "/blog/?" + urlencode({"category": payload, "author": payload, "cursor": payload}),
            f"/blog/authors/{quote(payload, safe='')}",
            "/blog/login?" + urlencode({"next": payload}),
        )
        way = ways[number % len(ways)]
        if "/authors/" in way and any(text in way for text in ("%2F", "%5C", "%3B", "%00")):
            way = ways[0]  # the gateway refuses such paths
        reader.look(way)


def test_bar_51_no_payload_runs_where_it_is_written(
    visit: Visit, platform: Platform, hostile: tuple[Person, list[int]]
) -> None:
    """In the editor and its preview, and in the fields of the account."""
    person, ids = hostile
    every = platform.post(person, "All of them", "\n\n".join(PAYLOADS))["id"]
    writer = Trapped(visit(person))
    for number in (every, *ids[::16]):
        with writer.visitor.page.expect_response("**/api/preview"):
            writer.look(f"/blog/posts/{number}/edit")
        writer.visitor.page.locator(".prose > *").first.wait_for()
        writer.check()
    fields = {"display_name": PAYLOADS[48], "bio": "\n".join(PAYLOADS)[:400]}
    answer = platform.client.patch("/api/users/me", json=fields, headers=person.bearer)
    assert answer.status_code == 200, answer.text
    writer.look("/blog/account")
