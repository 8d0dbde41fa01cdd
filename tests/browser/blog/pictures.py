"""The pictures of the blog in docs/img: what each shows, and how it is taken."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from tests.browser.chromium import running_chromium

ENGLISH_POST, KOREAN_POST = "asyncio timeout", "tsvector"
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}
DRAFT = Path(__file__).with_name("draft.md")


@dataclass(frozen=True)
class Picture:
    """What somebody sees: `arrange` brings the page there."""

    arrange: Callable[[Any, str], None]
    language: str = "en"
    scheme: str = "light"
    window: dict[str, int] | None = None


def _open(path: str) -> Callable[[Any, str], None]:
    return lambda page, url: page.goto(url + path)


def _post(words: str) -> Callable[[Any, str], None]:
    """The first post found with these words."""

    def arrange(page: Any, url: str) -> None:
        answer = httpx2.get(f"{url}/api/posts", params={"q": words, "limit": 1}, trust_env=False)
        (found,) = answer.json()
        page.goto(f"{url}/blog/posts/{found['id']}")

    return arrange


def _editor(page: Any, url: str) -> None:
    """A text that is being written, with its preview; by somebody who exists for the picture."""
    page.goto(f"{url}/blog/register")
    name = f"dana-{secrets.token_hex(2)}"
    password = secrets.token_urlsafe(18)
    for field, value in (
        ("username", name),
        ("email", f"{name}@example.org"),
        ("password", password),
    ):
        page.locator(f"[name={field}]").fill(value)
    page.locator("main form button[type=submit]").click()
    page.locator("#logout").wait_for()
    page.goto(f"{url}/blog/write")
    page.locator("#editor [name=content]:enabled").wait_for()
    title, content = DRAFT.read_text("utf-8").split("\n", 1)
    page.locator("[name=title]").fill(title.removeprefix("# "))
    page.locator("[name=category]").fill("Engineering")
    page.locator("[name=content]").fill(content.strip())
    page.locator("#preview h2").first.wait_for()


PICTURES = {
    "blog-list": Picture(_open("/blog/")),
    "blog-post-dark": Picture(_post(KOREAN_POST), "ko", "dark"),
    "blog-editor": Picture(_editor),
    "blog-phone": Picture(_open("/blog/"), "ko", "light", PHONE),
    "blog-phone-dark": Picture(_post(ENGLISH_POST), "en", "dark", PHONE),
}


def take(url: str, folder: Path, names: Iterable[str]) -> Iterator[Path]:
    """Take these pictures of the platform at `url` into `folder`: PNG files, one after another."""
    with running_chromium() as browser:
        for name in names:
            picture = PICTURES[name]
            context = browser.new_context(
                viewport=picture.window or DESK,
                color_scheme=picture.scheme,
                locale={"en": "en-GB", "ko": "ko-KR"}[picture.language],
                reduced_motion="reduce",
            )
            page = context.new_page()
            picture.arrange(page, url)
            page.wait_for_load_state("networkidle")
            path = folder / f"{name}.png"
            page.screenshot(path=path)
            context.close()
            yield path
