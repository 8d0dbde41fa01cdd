"""SQLite files of the first version."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from cli.tests.transfer.support import MakeLegacy


@pytest.fixture
def make_legacy(tmp_path: Path) -> MakeLegacy:
    """Makes the file; called again, it adds rows."""

    def make(users: Iterable[tuple[Any, ...]], posts: Iterable[tuple[Any, ...]]) -> Path:
        path = tmp_path / "old.db"
        connection = sqlite3.connect(path)
        connection.executescript(
            """
            CREATE TABLE IF NOT EXISTS users
                (id INTEGER, username TEXT, email TEXT, password_hash TEXT);
            CREATE TABLE IF NOT EXISTS posts
                (id INTEGER, title TEXT, content TEXT, author TEXT, created_at TEXT,
                 updated_at TEXT);
            """
        )
        connection.executemany("INSERT INTO users VALUES (?, ?, ?, ?)", users)
        connection.executemany("INSERT INTO posts VALUES (?, ?, ?, ?, ?, ?)", posts)
        connection.commit()
        connection.close()
        return path

    return make
