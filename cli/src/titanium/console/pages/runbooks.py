"""`/runbooks/{name}`: what to do about an alert, from docs/runbooks; `/how-to/{name}`: the pages
that they lead to."""

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

RUNBOOKS, HOW_TO = "runbooks", "how-to"
_NAME = re.compile(r"^[A-Za-z0-9_-]{1,80}$")
_LINK = re.compile(r'<a href="([^"]*)"[^>]*>(.*?)</a>', re.DOTALL)
_PAGE = re.compile(r"(?:\./)?(?:\.\./(runbooks|how-to)/)?([A-Za-z0-9_-]+)\.md(#[\w-]*)?")
_HEADING = re.compile(r"<h([2-4])>(.*?)</h\1>")
_TAG = re.compile(r"<[^>]*>")


def register(backend: Backend) -> None:
    docs = backend.root / "docs"

    @ui.page("/runbooks")
    def runbooks() -> None:
        with frame(backend, "Alerts", wide=False):
            Live(_page(docs / RUNBOOKS, "index"))

    @ui.page("/runbooks/{name}")
    def runbook(name: str) -> None:
        with frame(backend, "Alerts", wide=False):
            Live(_page(docs / RUNBOOKS, name))

    @ui.page("/how-to/{name}")
    def how_to(name: str) -> None:
        with frame(backend, "Alerts", wide=False):
            Live(_page(docs / HOW_TO, name))


def _page(folder: Path, name: str) -> str:
    path = folder / f"{name}.md"
    if not _NAME.match(name) or not path.is_file():
        hint = "Runbooks are files of docs/runbooks, named after their alerts."
        return notice(f"There is no page called {name[:80]}.", hint, "warn")
    return (
        f'<p class="quiet">{link("/alerts", "Alerts")} / {link("/runbooks", "Runbooks")}'
        f"{'' if name == 'index' else f' / {esc(name)}'}</p>"
        f'<article class="panel prose">{rendered(path, path.stat().st_mtime_ns)}</article>'
    )


@lru_cache(maxsize=64)
def rendered(path: Path, changed: int) -> str:
    """The file as clean HTML whose links stay within the console; one to a file that is no page
    here is only its text."""
    del changed
    html = nh3.clean(pyromark.html(path.read_text("utf-8"), options=pyromark.Options.ENABLE_TABLES))
    html = _HEADING.sub(
        lambda found: f'<h{found[1]} id="{anchor(found[2])}">{found[2]}</h{found[1]}>', html
    )
    return _LINK.sub(lambda found: _linked(path.parent.name, found[0], found[1], found[2]), html)


def anchor(heading: str) -> str:
    """The anchor of a heading (HTML) as GitHub makes it: `Back up, and restore` is
    `back-up-and-restore`."""
    return re.sub(r"[^\w -]", "", _TAG.sub("", heading).lower()).replace(" ", "-")


def _linked(folder: str, whole: str, target: str, text: str) -> str:
    if target.startswith(("https://", "#")):
        return whole
    found = _PAGE.fullmatch(target)
    if found is None:
        return text
    return f'<a href="/{found[1] or folder}/{found[2]}{found[3] or ""}">{text}</a>'
