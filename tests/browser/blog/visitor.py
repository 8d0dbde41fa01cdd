"""A person before a browser: its context, its tabs, and what went wrong in them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.browser.chromium import listen
from tests.support import Person, Platform
from titanium_blog.http.web.catalog import Catalog, catalog

WIDE, NARROW = 1440, 360
HEIGHT = 900
LOCALES = {"en": "en-US", "ko": "ko-KR"}
PATIENCE_MS = 10_000
# Adds up how far things moved by themselves after they were first drawn.
OBSERVE_SHIFTS = """
window.__shifted = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (entry.hadRecentInput) continue;
    const moved = entry.sources.map(({ node }) => node?.nodeName + "#" + (node?.id ?? ""));
    window.__shifted.push([entry.value, moved.join(" ")]);
  }
}).observe({ type: "layout-shift", buffered: true });
"""
STATUS = re.compile(r"the server responded with a status of (\d{3})")


@dataclass
class Visitor:
    """One browser context. `page` is its first tab; `words` are the texts of its language."""

    context: Any
    page: Any
    url: str
    words: Catalog
    errors: list[list[str]]
    expected: set[str] = field(default_factory=set)

    def go(self, path: str) -> Any:
        """Open `path` in the first tab; the answer."""
        return self.page.goto(self.url + path)

    def tab(self) -> Any:
        """One more tab of the same person."""
        tab = self.context.new_page()
        self.errors.append(listen(tab))
        return tab

    def expect(self, *errors: int | str) -> None:
        """Statuses of failed requests, or parts of messages, that belong to the test."""
        self.expected |= {str(error) for error in errors}

    def unexpected(self) -> list[str]:
        """Errors of all tabs that the test did not expect."""
        return [text for tab in self.errors for text in tab if not self._is_expected(text)]

    def _is_expected(self, text: str) -> bool:
        if status := STATUS.search(text):
            return status[1] in self.expected
        return any(part in text for part in self.expected if not part.isdigit())


Visit = Callable[..., Visitor]
"""The fixture `visit`: `open_visitor` without browser and platform."""


def open_visitor(
    browser: Any,
    platform: Platform,
    person: Person | None = None,
    *,
    language: str = "en",
    scheme: str = "light",
    width: int = WIDE,
    scripts: bool = True,
    base: str | None = None,
    **more: Any,
) -> Visitor:
    """A visitor; with `person` one who is logged in (by a session of its own)."""
    base = base or platform.url
    context = browser.new_context(
        viewport={"width": width, "height": HEIGHT},
        color_scheme=scheme,
        locale=LOCALES[language],
        java_script_enabled=scripts,
        reduced_motion="reduce",
        storage_state=_session(platform, person, base) if person else None,
        **more,
    )
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script(OBSERVE_SHIFTS)
    page = context.new_page()
    return Visitor(context, page, base, catalog(language), [listen(page)])


def _session(platform: Platform, person: Person, base: str) -> Any:
    """What a browser keeps after a log-in: the refresh cookie, and a hint for the pages."""
    platform.login(person)
    cookie = {
        "name": "titanium_refresh",
        "value": person.refresh_token,
        "domain": "127.0.0.1",
        "path": "/",
        "expires": -1,
        "httpOnly": True,
        "secure": False,
        "sameSite": "Strict",
    }
    hint = {"name": "signed-in", "value": person.username}
    return {"cookies": [cookie], "origins": [{"origin": base, "localStorage": [hint]}]}
