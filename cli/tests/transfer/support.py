"""A platform in memory, with the rules of the real one that a transfer meets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from titanium.transfer.admin import Outcome, Row

# Rows of users (id, username, email, password_hash), rows of posts (id, title, content, author,
# created_at, updated_at) -> the file.
MakeLegacy = Callable[[Iterable[tuple[Any, ...]], Iterable[tuple[Any, ...]]], Path]


class FakePlatform:
    """Implements `importer.Platform`: usernames are unique in any case, titles at most 200."""

    def __init__(self) -> None:
        self.users: dict[str, dict[str, Any]] = {}
        self.posts: dict[int, dict[str, Any]] = {}
        self.known: dict[tuple[str, int], int] = {}
        self.damage = ""

    def import_users(self, rows: Iterable[Row]) -> Iterator[Outcome]:
        for row in rows:
            name = row["username"]
            there = self.users.get(name.lower())
            if " " in name or len(name) > 30:
                yield Outcome(row["legacy_id"], None, "rejected", "username: wrong form")
            elif there is None:
                self.users[name.lower()] = {**row, "id": 100 + len(self.users)}
                yield Outcome(row["legacy_id"], self.users[name.lower()]["id"], "created")
            elif there["email"] == row["email"]:
                yield Outcome(row["legacy_id"], there["id"], "existing")
            else:
                yield Outcome(row["legacy_id"], None, "rejected", "the username is taken")

    def import_posts(self, rows: Iterable[Row]) -> Iterator[Outcome]:
        for row in rows:
            key = (row["source"], row["legacy_id"])
            if key in self.known:
                yield Outcome(row["legacy_id"], self.known[key], "existing")
            elif len(row["title"]) > 200:
                yield Outcome(row["legacy_id"], None, "rejected", "title: too long")
            else:
                number = self.known[key] = 1000 + len(self.known)
                self.posts[number] = {**row, "content": row["content"] + self.damage}
                yield Outcome(row["legacy_id"], number, "created")

    def profile(self, username: str) -> Any:
        return self.users.get(username.lower())

    def post(self, number: int) -> Any:
        return self.posts.get(number)
