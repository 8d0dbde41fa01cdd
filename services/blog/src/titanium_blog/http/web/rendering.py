"""Templates to pages: one environment a language, so that macros know it too."""

from __future__ import annotations

import hashlib
import math
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from fastapi import Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.types import Scope

from titanium_blog.domain.hits import Wanted
from titanium_blog.domain.language import LANGUAGES, language_of
from titanium_blog.http.dependencies import blog_of
from titanium_blog.http.web.assets import DIGEST, asset, modules
from titanium_blog.http.web.catalog import catalog, catalog_source
from titanium_blog.http.web.language import VARY, requested_language
from titanium_kit.cache import Entry

HTML = "text/html; charset=utf-8"
HOME = "/blog/"
LONGEST_BACK = 1000
_FOR_SCRIPTS = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def list_address(**parameters: str | None) -> str:
    """The address of a list with these filters."""
    kept = {name: value for name, value in parameters.items() if value}
    return f"{HOME}?{urlencode(kept)}" if kept else HOME


def feed_address(**parameters: str | None) -> str:
    """The address of the feed of such a list."""
    return list_address(**parameters).replace(HOME, f"{HOME}feed.xml", 1)


def author_address(username: str) -> str:
    """The address of an author's page."""
    return f"/blog/authors/{quote(username, safe='')}"


def json_for_page(value: object) -> Markup:
    """JSON that can stand inside a `script` element: it holds no tag."""
    return Markup(orjson.dumps(value).decode().translate(_FOR_SCRIPTS))  # noqa: S704


def rfc3339(moment: datetime) -> str:
    """A time in UTC for `datetime` attributes and feeds, to the second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@cache
def _environment(language: str) -> Environment:
    environment = Environment(
        loader=PackageLoader("titanium_blog.http"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,  # files of a release do not change: no look at each for every page
    )
    texts = catalog(language)
    environment.filters.update(day=texts.day, lang=language_of, isotime=rfc3339, hits=hits)
    environment.globals.update(
        t=texts,
        language=language,
        languages=LANGUAGES,
        asset=asset,
        modules=modules,
        address=list_address,
        feed_address=feed_address,
        author_address=author_address,
        strings=cache(lambda *tables: json_for_page(texts.tables(*tables))),
        json=json_for_page,
    )
    return environment


def render(template: str, language: str, **context: Any) -> bytes:
    """A page of `templates/`, in UTF-8. Everything inserted is escaped unless marked `safe`."""
    return _environment(language).get_template(template).render(**context).encode()


def _here(request: Request) -> str:
    """The address asked for, as a path with its query."""
    query = request.scope["query_string"].decode("latin-1")
    path = quote(request.scope["path"])
    return (f"{path}?{query}" if query else path)[:LONGEST_BACK]


def page(request: Request, template: str, **context: Any) -> bytes:
    """A page for `request`, in its reader's language.

    Every template knows `site` (the public address without a slash at its end) and `here` (this
    page's path and query).
    """
    return render(
        template,
        requested_language(request.scope),
        site=blog_of(request).site,
        here=_here(request),
        **context,
    )


def hits(text: str, wanted: Wanted | None) -> Markup:
    """`text` escaped, with what the search was for in `mark` elements."""
    if wanted is None:
        return escape(text)
    return Markup("").join(
        Markup("<mark>{}</mark>").format(part.text) if part.hit else part.text
        for part in wanted.parts(text)
    )


def page_entry(body: bytes, media_type: str = HTML, max_age: float = math.inf) -> Entry:
    """A cached page, kept for `max_age` seconds at most; it differs by language."""
    return Entry.of(body, media_type, headers={"vary": VARY}, max_age=max_age)


def _release() -> bytes:
    """A digest of everything that pages are made of besides posts."""
    digest = hashlib.sha256(DIGEST.encode())
    for language in LANGUAGES:
        digest.update(catalog_source(language))
    folder = files("titanium_blog.http") / "templates"
    for found in sorted(folder.iterdir(), key=lambda entry: entry.name):
        digest.update(found.name.encode() + found.read_bytes())
    return digest.hexdigest()[:12].encode()


_RELEASE = _release()
_VARIANTS = {name: b"\n" + name.encode() + b" " + _RELEASE for name in LANGUAGES}


def cache_variant(scope: Scope) -> bytes:
    """What a page's cache key has besides its address; nothing for the API.

    The release is in it, because Redis may still hold pages of the release before.
    """
    return _VARIANTS[requested_language(scope)] if scope["path"].startswith(HOME) else b""
