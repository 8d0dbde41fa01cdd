"""Bar 51: more than a hundred texts that would like to be scripts, in every field; none runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from services.blog.tests.payloads import PAYLOADS
from tests.browser.blog.checks import repaint, script
from tests.browser.blog.visitor import Visit, Visitor
from tests.support import Person, Platform, wait_until

pytestmark = pytest.mark.e2e

# Whatever a payload calls comes here, from every frame.
TRAP = "for (const name of ['alert', 'confirm', 'prompt', 'msgbox']) window[name] = window.__ran;"

TABS = 4
"""Pages that are loaded at a time."""


def batched(texts: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """`size` after `size` of them."""
    return (texts[start : start + size] for start in range(0, len(texts), size))


class Trapped:
    """A visitor whose pages tell when something ran."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.ran: list[str] = []
        context = visitor.context
        context.expose_binding("__ran", lambda source, *said: self._note(source, said))
        context.add_init_script(TRAP)
        # What texts point to is elsewhere, where the browser finds nothing (chromium.FLAGS). A
        # route that aborts would turn off its cache, and every page load all scripts anew.
        visitor.expect("ERR_NAME_NOT_RESOLVED", 404)
        self.tabs = [visitor.page, *(visitor.tab() for _ in range(TABS - 1))]

    def _note(self, source: Any, said: tuple[Any, ...]) -> None:
        self.ran.append(f"{source['page'].url}: {said}")

    def look(self, *paths: str) -> None:
        """Open pages, some at a time, and see that nothing ran, or waits for a click."""
        for some in batched(paths, TABS):
            pairs = list(zip(self.tabs, some, strict=False))
            for tab, path in pairs:
                tab.goto(self.visitor.url + path, wait_until="commit")
            for tab, _ in pairs:
                tab.wait_for_load_state("load")
                self.check(tab)

    def check(self, tab: Any) -> None:
        """See it once the tab has drawn its page."""
        repaint(tab)
        assert tab.evaluate(script("sleeping")) == [], tab.url
        assert self.ran == []
        assert self.visitor.unexpected() == [], tab.url


@pytest.fixture(scope="module")
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
    reader.look(*(f"/blog/posts/{number}" for number in ids))
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
    paths = []
    for number, payload in enumerate(PAYLOADS):
        ways = (
            "/blog/?" + urlencode({"q": payload}),
            "/blog/?" + urlencode({"author": payload, "cursor": payload}),
            "/blog/?" + urlencode({"category": payload}),
            f"/blog/authors/{quote(payload, safe='')}",
            "/blog/login?" + urlencode({"next": payload}),
        )
        way = ways[number % len(ways)]
        if "/authors/" in way and any(text in way for text in ("%2F", "%5C", "%3B", "%00")):
            way = ways[0]  # the gateway refuses such paths
        paths.append(way)
    # And all of them where an address is longest.
    paths += ["/blog/?" + urlencode({"q": " ".join(some)}) for some in batched(PAYLOADS, 4)]
    paths += ["/blog/login?" + urlencode({"next": " ".join(some)}) for some in batched(PAYLOADS, 8)]
    reader.look(*paths)


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
        writer.check(writer.visitor.page)
    for some in batched(PAYLOADS, 28):
        fields = {"display_name": some[0][:60], "bio": "\n".join(some)}
        answer = platform.client.patch("/api/users/me", json=fields, headers=person.bearer)
        assert answer.status_code == 200, answer.text
        writer.look("/blog/account", f"/blog/authors/{person.username}")
        bio = writer.visitor.page.locator("[name=bio]:enabled")
        bio.wait_for()
        assert bio.input_value() == fields["bio"]
        writer.check(writer.visitor.page)
