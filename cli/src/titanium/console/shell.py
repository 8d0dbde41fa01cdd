"""The frame of every page: title, navigation, state of the platform, and the content below."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from nicegui import ui

from titanium.console.widgets import BRAND, Live, badge, esc

if TYPE_CHECKING:
    from titanium.console.backend import Backend
    from titanium.console.poller import Snapshot

PAGES = (
    ("/", "Overview"),
    ("/services", "Services"),
    ("/traffic", "Traffic"),
    ("/logs", "Logs"),
    ("/traces", "Traces"),
    ("/dashboards", "Dashboards"),
    ("/alerts", "Alerts"),
    ("/chaos", "Chaos"),
)
# Seconds between two looks of a page at the newest snapshot (not at the platform).
REFRESH = 0.5


@contextmanager
def frame(backend: Backend, title: str, wide: bool = True) -> Iterator[None]:
    """Draw the frame of the page called `title` (as in the navigation); the block fills it.

    While the page is open in a browser, the poller reads more often.
    """
    ui.page_title(f"{title} · Titanium")
    header = Live(_header(backend.poller.snapshot, title))
    header.classes("frame")
    # Not <main>: that is what Quasar makes of the page around it.
    with ui.element("div").props('id="content" tabindex="-1"').classes("wide" if wide else "text"):
        yield
    live(backend, lambda snapshot: header.show(_header(snapshot, title)))
    ui.context.client.on_connect(backend.poller.hurry)


def live(
    backend: Backend,
    show: Callable[[Snapshot], Any],
    changed: Callable[[Snapshot], Any] = lambda snapshot: snapshot.version,
) -> None:
    """Call `show` whenever what `changed` returns is not what it was, while the page is open."""
    seen: list[Any] = [None]

    def refresh() -> None:
        snapshot = backend.poller.snapshot
        key = changed(snapshot)
        if key != seen[0]:
            seen[0] = key
            show(snapshot)

    ui.timer(REFRESH, refresh)


def _header(snapshot: Snapshot, title: str) -> str:
    firing = sum(alert.state == "firing" for alert in snapshot.alerts)
    links = "".join(_tab(path, name, name == title, firing) for path, name in PAGES)
    if snapshot.status is not None:
        state = badge(snapshot.status.state, snapshot.status.state)
    elif snapshot.status_error is not None:
        state = badge("gone", "supervisor gone")
    else:
        state = badge("starting", "connecting")
    return (
        '<a class="skip" href="#content">Skip to the content</a>'
        f"<header>{BRAND}"
        f'<nav aria-label="Pages">{links}</nav><span class="whole">{state}</span></header>'
    )


def _tab(path: str, name: str, current: bool, firing: int) -> str:
    count = f'<span class="count">{firing}</span>' if name == "Alerts" and firing else ""
    here = ' aria-current="page"' if current else ""
    return f'<a href="{esc(path)}"{here}>{esc(name)}{count}</a>'
