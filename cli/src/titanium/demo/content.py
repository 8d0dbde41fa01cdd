"""Reads the demo content that ships with this package.

`users.toml` has one table a person under `[[users]]`. A post is a Markdown file in `posts/`,
named `<number>-<words>.md`, whose header is TOML between two lines `+++`:

    +++
    title = "..."
    author = "a username of users.toml"
    category = "..."
    days_ago = 12        # age on the day of seeding
    hour = 9             # UTC
    +++
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from titanium.errors import ConfigurationError

FENCE = "+++\n"


@dataclass(frozen=True, slots=True)
class DemoUser:
    """An invented person; `id` counts from 1 in file order."""

    id: int
    username: str
    display_name: str

    @property
    def email(self) -> str:
        """An address that nothing is ever delivered to (RFC 2606)."""
        return f"demo-{self.id}@example.com"


@dataclass(frozen=True, slots=True)
class DemoPost:
    """A post in Markdown; `id` is the number that its file name begins with."""

    id: int
    title: str
    author: str
    category: str
    days_ago: int
    hour: int
    content: str

    def created_at(self, today: datetime) -> datetime:
        """When it was written, seen from `today`; never later than `today`."""
        day = today.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        moment = day.replace(hour=self.hour) - timedelta(days=self.days_ago)
        # The number of the post gives each its own minute: no two are equally old.
        return min(moment + timedelta(minutes=self.id % 60), today)


def _folder() -> Traversable:
    return files("titanium.demo")


def load_users() -> list[DemoUser]:
    """The demo users in file order. ConfigurationError when the file is not as documented."""
    name = "users.toml"
    try:
        entries = tomllib.loads((_folder() / name).read_text("utf-8"))["users"]
        return [DemoUser(id=number, **entry) for number, entry in enumerate(entries, start=1)]
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise _wrong(name, error) from None


def load_posts() -> list[DemoPost]:
    """The demo posts by number. ConfigurationError names a file that is not as documented."""
    folder = sorted((_folder() / "posts").iterdir(), key=lambda item: item.name)
    return [
        parse_post(file.name, file.read_text("utf-8"))
        for file in folder
        if file.name.endswith(".md")
    ]


def parse_post(name: str, text: str) -> DemoPost:
    """The post in a file of that name. Raises ConfigurationError."""
    try:
        if not text.startswith(FENCE):
            raise _wrong(name, f"the first line is not {FENCE.strip()}")
        _, header, content = text.split(FENCE, 2)
        fields: dict[str, Any] = tomllib.loads(header)
        return DemoPost(id=int(name.partition("-")[0]), content=content.strip() + "\n", **fields)
    except (ValueError, TypeError) as error:
        raise _wrong(name, error) from None


def _wrong(name: str, error: object) -> ConfigurationError:
    return ConfigurationError(
        f"demo content {name}: {error}",
        "Correct the file; its form is in titanium/demo/content.py.",
    )
