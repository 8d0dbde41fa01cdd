"""Every sentence that people read, by language: `locale/<language>.toml` and, of the
pages for writers, `locale/<language>.writing.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

from titanium_blog.domain.language import LANGUAGES


class Catalog:
    """The texts of one language, by dotted key (`list.title`).

    A key that is missing raises KeyError: a page with a hole is never shown.
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = texts

    def __call__(self, key: str, /, **values: object) -> str:
        """The text under `key` with `{name}` replaced by the value of that name.

        With `count` the text under `key_one` or `key_other` is taken, where there are such.
        """
        if "count" in values and f"{key}_other" in self.texts:
            form = f"{key}_one" if values["count"] == 1 else f"{key}_other"
            key = form if form in self.texts else f"{key}_other"
        text = self.texts[key]
        return text.format_map(values) if values else text

    def tables(self, *names: str) -> dict[str, str]:
        """The texts whose keys begin with one of the tables' names: for scripts."""
        return {key: text for key, text in self.texts.items() if key.partition(".")[0] in names}

    def day(self, moment: datetime) -> str:
        """A date (in UTC) as people write it."""
        month = self(f"date.month_{moment.month}")
        return self("date.day", day=moment.day, month=month, year=moment.year)


def flattened(table: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested tables as one with dotted keys. Raises TypeError for what is not a text."""
    texts: dict[str, str] = {}
    for name, value in table.items():
        if isinstance(value, Mapping):
            texts |= flattened(value, f"{prefix}{name}.")
        elif isinstance(value, str):
            texts[prefix + name] = value
        else:
            raise TypeError(f"{prefix}{name} is not a text")
    return texts


def catalog_source(language: str) -> bytes:
    """The document of a language: two files, one for readers and one for writers."""
    folder = files("titanium_blog") / "locale"
    parts = (f"{language}.toml", f"{language}.writing.toml")
    return b"\n".join((folder / part).read_bytes() for part in parts)


@cache
def catalog(language: str) -> Catalog:
    """The catalog of `language`, one of `LANGUAGES`; read once."""
    if language not in LANGUAGES:
        raise KeyError(language)
    return Catalog(flattened(tomllib.loads(catalog_source(language).decode())))
