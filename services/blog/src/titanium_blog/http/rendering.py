"""Templates and the stylesheet, loaded once."""

from __future__ import annotations

import hashlib
from datetime import datetime
from importlib.resources import files
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined

from titanium_blog.domain.language import language_of
from titanium_kit.cache import Entry

STATIC = "/blog/static"
_YEAR = "public, max-age=31536000, immutable"


def _stylesheet() -> tuple[str, Entry]:
    body = (files("titanium_blog.http") / "static" / "style.css").read_bytes()
    name = f"style.{hashlib.sha256(body).hexdigest()[:12]}.css"
    return name, Entry.of(body, "text/css; charset=utf-8", headers={"cache-control": _YEAR})


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B} {moment.year}"


def _address(**parameters: str | None) -> str:
    """The address of a list with these filters."""
    kept = {name: value for name, value in parameters.items() if value}
    return f"/blog/?{urlencode(kept)}" if kept else "/blog/"


STYLESHEET, STYLESHEET_ENTRY = _stylesheet()
"""The file's name, which contains a digest of what is in it, and its answer."""

_environment = Environment(
    loader=PackageLoader("titanium_blog.http"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters.update(day=_day, lang=language_of, isotime=datetime.isoformat)
_environment.globals.update(stylesheet=f"{STATIC}/{STYLESHEET}", address=_address)


def html_page(template: str, **context: Any) -> bytes:
    """A page of `templates/`, in UTF-8. Everything inserted is escaped unless marked `safe`."""
    return _environment.get_template(template).render(**context).encode()
