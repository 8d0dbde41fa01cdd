"""Loads the demo content into a running platform."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from titanium.demo.content import load_posts, load_users
from titanium.errors import TitaniumError
from titanium.layout import Home
from titanium.provision.secret_files import secret
from titanium.transfer.admin import Outcome, Row

SOURCE = "demo"


class Destination(Protocol):
    """Where rows go: the services' admin modules."""

    def import_users(self, rows: Iterable[Row]) -> Iterator[Outcome]:
        """Store accounts; one outcome a row, in order."""

    def import_posts(self, rows: Iterable[Row]) -> Iterator[Outcome]:
        """Store posts; one outcome a row, in order."""


@dataclass(frozen=True, slots=True)
class Seeded:
    """What a run did: new and already present users and posts, and where the password is."""

    users_created: int
    users_existing: int
    posts_created: int
    posts_existing: int
    password_file: Path
    usernames: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The counts in one line."""
        return (
            f"demo content: {self.users_created} users and {self.posts_created} posts added, "
            f"{self.users_existing} users and {self.posts_existing} posts were already there"
        )


def password_file(home: Home) -> Path:
    """The demo users' common password: made for this state folder, readable by its owner."""
    return home.secret("demo", "password")


def seed(home: Home, platform: Destination, now: datetime | None = None) -> Seeded:
    """Load the demo content; what is there already stays as it is.

    TitaniumError when a row is refused (another account has a demo user's name, for example).
    """
    now = now or datetime.now(UTC)
    password = secret(password_file(home))
    users = load_users()
    rows: list[Row] = [
        {
            "legacy_id": user.id,
            "username": user.username,
            "email": user.email,
            "password": password,
            "display_name": user.display_name,
        }
        for user in users
    ]
    accounts = _accepted("user", rows, platform.import_users(rows))
    ids = {user.username: outcome.id for user, outcome in zip(users, accounts, strict=True)}
    posts: list[Row] = [
        {
            "legacy_id": post.id,
            "source": SOURCE,
            "author_id": ids[post.author],
            "author": post.author,
            "title": post.title,
            "content": post.content,
            "category_name": post.category,
            "created_at": post.created_at(now).isoformat(),
            "updated_at": post.created_at(now).isoformat(),
        }
        for post in load_posts()
    ]
    written = _accepted("post", posts, platform.import_posts(posts))
    home.seeded.touch(mode=0o600)
    return Seeded(
        users_created=_count(accounts, "created"),
        users_existing=_count(accounts, "existing"),
        posts_created=_count(written, "created"),
        posts_existing=_count(written, "existing"),
        password_file=password_file(home),
        usernames=tuple(user.username for user in users),
    )


def seed_platform(home: Home) -> Seeded:
    """`seed` into the running platform of that state folder, at first start and on demand."""
    from titanium.transfer.platform import LocalPlatform

    with LocalPlatform(home) as platform:
        return seed(home, platform)


def _accepted(what: str, rows: list[Row], found: Iterator[Outcome]) -> list[Outcome]:
    outcomes = list(found)
    for row, outcome in zip(rows, outcomes, strict=True):
        if outcome.status == "rejected":
            name = row.get("title") or row.get("username")
            raise TitaniumError(
                f"the demo {what} {name!r} was refused: {outcome.reason}",
                "Rename or remove what stands in its way, or go without: titanium up --no-seed.",
            )
    return outcomes


def _count(outcomes: list[Outcome], status: str) -> int:
    return sum(outcome.status == status for outcome in outcomes)
