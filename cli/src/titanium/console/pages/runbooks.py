"""`/runbooks/{name}`: what to do about an alert, from docs/runbooks."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import nh3
import pyromark
from nicegui import ui

from titanium.console.backend import Backend
from titanium.console.shell import frame
from titanium.console.widgets import Live, esc, link, notice

_NAME = re.compile(r"^[A-Za-z0-9_-]{1,80}$")
_LINKED = re.compile(r'href="(?:\./)?([A-Za-z0-9_-]+)\.md(?:#[^"]*)?"')


def register(backend: Backend) -> None:
    folder = backend.root / "docs/runbooks"

    @ui.page("/runbooks")
    def runbooks() -> None:
        with frame(backend, "Alerts", wide=False):
            names = sorted(path.stem for path in folder.glob("*.md"))
            items = "".join(f"<li>{link(f'/runbooks/{name}', name)}</li>" for name in names)
            Live(f'<article class="panel prose"><h1>Runbooks</h1><ul>{items}</ul></article>')

    @ui.page("/runbooks/{name}")
    def runbook(name: str) -> None:
        with frame(backend, "Alerts", wide=False):
            Live(_page(folder, name))


def _page(folder: Path, name: str) -> str:
    path = folder / f"{name}.md"
    if not _NAME.match(name) or not path.is_file():
        hint = "Runbooks are files of docs/runbooks, named after their alerts."
        return notice(f"There is no runbook called {name[:80]}.", hint, "warn")
    return (
        f'<p class="quiet">{link("/alerts", "Alerts")} / {esc(name)}</p>'
        f'<article class="panel prose">{rendered(path, path.stat().st_mtime_ns)}</article>'
    )


@lru_cache(maxsize=64)
def rendered(path: Path, changed: int) -> str:
    """The file as clean HTML; links to other runbooks stay within the console."""
    del changed
    html = nh3.clean(pyromark.html(path.read_text("utf-8"), options=pyromark.Options.ENABLE_TABLES))
    return _LINKED.sub(r'href="/runbooks/\1"', html)
