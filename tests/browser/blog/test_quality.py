"""Every page: accessible, well built, light, and still while it loads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.browser.blog.checks import overflow, shifts, structure, transfers, violations
from tests.browser.blog.test_reading import CODE_POST, post_address
from tests.browser.blog.visitor import HEIGHT, NARROW, WIDE, Visit, Visitor, open_visitor
from tests.support import Person, Platform, wait_until

pytestmark = pytest.mark.e2e

READING = {
    "list": "/blog/",
    "category": "/blog/?category=engineering",
    "search": "/blog/?q=postgres",
    "nothing found": "/blog/?q=zxqj-nothing",
    "post": CODE_POST,
    "korean post": "tsvector",
    "author": "/blog/authors/priya-codes",
    "not there": "/blog/nowhere",
    "log in": "/blog/login",
    "register": "/blog/register",
}
WRITING = {
    "account": "/blog/account",
    "write": "/blog/write",
    "edit": "/blog/posts/{id}/edit",
    "own post": "/blog/posts/{id}",
}
PAGES = {**READING, **WRITING}
LIST_BYTES = 60_000
WIDTHS = (320, NARROW, 768, WIDE)
LOOKS = (
    ("en", "light", WIDE),
    ("en", "dark", NARROW),
    ("ko", "dark", WIDE),
    ("ko", "light", NARROW),
)
TEXT = """Some words.

## A heading

| a | b |
|---|---|
| 1 | 2 |

```python
print("a line that is long enough to be scrolled on a small screen, whatever happens")
```
"""


@pytest.fixture(scope="module")
def writer(platform: Platform) -> tuple[Person, int]:
    """Somebody with one post."""
    person = platform.register()
    return person, platform.post(person, "On long words: Donaudampfschifffahrtsgesellschaft", TEXT)[
        "id"
    ]


@pytest.fixture(scope="module")
def tabs(
    browser: Any, platform: Platform, writer: tuple[Person, int]
) -> Iterator[Callable[..., Visitor]]:
    """A function: language and name of a page, how it looks -> a visitor, who is there already."""
    kept: dict[tuple[str, bool], Visitor] = {}
    person, post = writer

    def opened(language: str, name: str, scheme: str = "light", width: int = WIDE) -> Visitor:
        writes = name in WRITING
        visitor = kept.get((language, writes))
        if visitor is None:
            whom = person if writes else None
            visitor = kept[language, writes] = open_visitor(
                browser, platform, whom, language=language
            )
            # Nothing on this machine is asked for pictures of elsewhere.
            visitor.context.route("https://**", lambda route: route.abort())
            visitor.expect(404, "ERR_FAILED")
        # Before it loads: chromium redraws an open page bit by bit, which axe would see.
        visitor.page.emulate_media(color_scheme=scheme)
        visitor.page.set_viewport_size({"width": width, "height": HEIGHT})
        path = PAGES[name].format(id=post)
        visitor.go(path if path.startswith("/") else post_address(platform, path))
        settle(visitor.page)
        return visitor

    yield opened
    for visitor in kept.values():
        visitor.context.close()
        assert visitor.unexpected() == []


def settle(page: Any) -> None:
    """Until the scripts of a writer's page have filled it."""
    page.locator("form[aria-busy=true], fieldset:disabled").first.wait_for(state="detached")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_accessible_and_well_built(tabs: Callable[..., Visitor], name: str) -> None:
    """WCAG 2.2 AA by axe, in both languages and colour schemes, on a wide and a narrow screen;
    headings, landmarks, labels and alternative texts; nothing that a strict policy forbids."""
    wrong: list[str] = []
    for language, scheme, width in LOOKS:
        page = tabs(language, name, scheme, width).page
        found = [*violations(page), *structure(page)]
        wrong += [f"{language} {scheme} {width}: {one}" for one in found]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_every_window_and_does_not_move(
    tabs: Callable[..., Visitor], name: str
) -> None:
    """From 320 pixels on; and nothing shifts while it loads, wide or narrow."""
    visitor = tabs("ko", name)
    page = visitor.page
    assert shifts(page) == []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        assert overflow(page) == 0, width
    page.set_viewport_size({"width": NARROW, "height": HEIGHT})
    page.reload()
    settle(page)
    assert shifts(page) == []


def test_a_movement_would_be_seen(visit: Visit) -> None:
    """The check above means something."""
    page = visit().page
    page.goto("about:blank")
    page.set_content("<p>above</p><p>below</p>")
    page.evaluate("new Promise((done) => setTimeout(done, 50))")
    page.evaluate("document.querySelector('p').style.marginTop = '300px'")
    wait_until(lambda: bool(shifts(page)), 5, "the movement is seen")


def test_a_list_is_light(visit: Visit) -> None:
    """With style and scripts, over the wire, from an empty cache; and few requests."""
    reader = visit()
    reader.go("/blog/")
    reader.page.wait_for_load_state("networkidle")
    sizes = transfers(reader.page)
    assert sum(sizes.values()) < LIST_BYTES, sizes
    assert len(sizes) <= 16, sizes
    assert all(address.startswith(reader.url) for address in sizes)


def test_files_are_kept_and_pages_are_asked_for_again(visit: Visit, platform: Platform) -> None:
    """The second page brings no file again; a page that did not change is 304 and small."""
    reader = visit()
    reader.go("/blog/")
    reader.page.wait_for_load_state("networkidle")
    files = {address for address in transfers(reader.page) if "/static/" in address}
    assert files
    for address in files:
        answer = platform.client.head(address)
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    reader.go(post_address(platform, CODE_POST))
    reader.page.wait_for_load_state("networkidle")
    again = transfers(reader.page)
    assert [address for address in files & set(again) if again[address] > 0] == []
    reader.go("/blog/")
    answer = reader.page.reload()
    assert transfers(reader.page)[f"{reader.url}/blog/"] < 1_000
    assert answer.ok


def test_a_page_that_is_printed_is_the_text_alone(visit: Visit, platform: Platform) -> None:
    reader = visit(scheme="dark")
    reader.go(post_address(platform, CODE_POST))
    reader.page.emulate_media(media="print", color_scheme="dark")
    for gone in ("body > header form", "body > header nav", "#theme"):
        assert not reader.page.locator(gone).is_visible()
    assert reader.page.locator("main h1").is_visible()
    assert reader.page.locator("main pre").first.is_visible()


def test_the_keyboard_reaches_everything_and_shows_where_it_is(visit: Visit) -> None:
    """The first stop skips the header; each stop after it is seen."""
    reader = visit()
    page = reader.page
    reader.go("/blog/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == reader.words("site.skip")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")
    reader.go("/blog/")
    for _ in range(12):
        page.keyboard.press("Tab")
        style = page.evaluate(
            "(({ outlineStyle, outlineWidth, boxShadow: shadow }) => "
            "[outlineStyle, outlineWidth, shadow])(getComputedStyle(document.activeElement))"
        )
        assert (style[0] != "none" and style[1] != "0px") or style[2] != "none", page.evaluate(
            "document.activeElement.outerHTML"
        )
