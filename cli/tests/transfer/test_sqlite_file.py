"""Reading the first version's file: what it takes, and what it says about everything else."""

from __future__ import annotations

import hashlib
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from titanium.errors import TitaniumError, UsageError
from titanium.transfer.sqlite_file import POSTS, USERS, open_legacy

pytestmark = pytest.mark.unit

SCHEMA = """
CREATE TABLE users (id INTEGER PRIMARY KEY, username TEXT, email TEXT, password_hash TEXT);
CREATE TABLE posts (id INTEGER PRIMARY KEY, title TEXT, content TEXT, author TEXT,
                    created_at TEXT, updated_at TEXT);
"""


def make(path: Path, script: str = SCHEMA) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    connection.executescript(script)
    return connection


def test_rows_come_in_id_order_with_text_as_bytes(tmp_path: Path) -> None:
    connection = make(tmp_path / "old.db")
    connection.execute("INSERT INTO users VALUES (2, '둘', 'b@example.org', 'h')")
    connection.execute("INSERT INTO users VALUES (1, 'one', NULL, 'h')")
    connection.commit()
    connection.close()
    with open_legacy(tmp_path / "old.db") as legacy:
        assert legacy.count(USERS) == 2
        assert list(legacy.rows(USERS)) == [
            {"id": 1, "username": b"one", "password_hash": b"h", "email": None},
            {"id": 2, "username": "둘".encode(), "password_hash": b"h", "email": b"b@example.org"},
        ]


def test_missing_optional_columns_are_left_out_and_more_columns_named(tmp_path: Path) -> None:
    script = """
    CREATE TABLE users (username TEXT, password_hash TEXT);
    CREATE TABLE posts (ID INTEGER PRIMARY KEY, Title TEXT, content TEXT, author TEXT, views INT);
    INSERT INTO users VALUES ('kim', 'h');
    INSERT INTO posts VALUES (5, 't', 'c', 'kim', 9);
    """
    make(tmp_path / "old.db", script).close()
    with open_legacy(tmp_path / "old.db") as legacy:
        assert list(legacy.rows(USERS)) == [{"id": 1, "username": b"kim", "password_hash": b"h"}]
        row = {"id": 5, "title": b"t", "content": b"c", "author": b"kim"}
        assert list(legacy.rows(POSTS)) == [row]
        assert legacy.unknown_columns(POSTS) == ["views"]
        assert legacy.unknown_columns(USERS) == []


def test_what_is_missing_in_the_schema_is_named_whole(tmp_path: Path) -> None:
    make(tmp_path / "old.db", "CREATE TABLE users (id, username TEXT); CREATE TABLE x (y)").close()
    with pytest.raises(UsageError) as raised, open_legacy(tmp_path / "old.db"):
        pass
    assert "column users.password_hash, table posts" in raised.value.message
    assert "its tables: users, x" in raised.value.message


def test_committed_work_in_a_write_ahead_log_is_read_and_the_file_left_alone(
    tmp_path: Path,
) -> None:
    path = tmp_path / "old.db"
    # The writer is killed, as a crashed server is: its log stays beside the file.
    script = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA journal_mode = WAL")
connection.executescript(sys.argv[2])
connection.execute("INSERT INTO users VALUES (1, 'kim', 'k@example.org', 'h')")
os._exit(0)
"""
    subprocess.run([sys.executable, "-c", script, str(path), SCHEMA], check=True)
    log = path.with_name("old.db-wal")
    assert log.stat().st_size > 0
    before = [hashlib.sha256(file.read_bytes()).digest() for file in (path, log)]
    path.chmod(0o400)
    link = tmp_path / "link.db"
    link.symlink_to(path)
    for name in (path, link):
        with open_legacy(name) as legacy:
            assert legacy.count(USERS) == 1
    assert [hashlib.sha256(file.read_bytes()).digest() for file in (path, log)] == before


def test_an_empty_database_file_is_told_from_one_without_rows(tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    with pytest.raises(UsageError, match="is empty"), open_legacy(tmp_path / "empty.db"):
        pass
    make(tmp_path / "new.db").close()
    with open_legacy(tmp_path / "new.db") as legacy:
        assert list(legacy.rows(POSTS)) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"BEGIN TRANSACTION;\nCREATE TABLE users", "not a SQLite database, or it is encrypted"),
        (bytes(range(256)) * 16, "not a SQLite database, or it is encrypted"),
        (b"SQLite format 3\x00" + b"\xff" * 8000, "is damaged"),
        (b"SQLite format 3\x00", "is damaged"),
    ],
    ids=["dump", "encrypted", "garbage", "header only"],
)
def test_a_file_that_is_no_database_is_refused_in_one_line(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "old.db"
    path.write_bytes(content)
    with pytest.raises(TitaniumError, match=message) as raised, open_legacy(path):
        pass
    assert "\n" not in raised.value.message
    assert raised.value.hint


def test_a_folder_a_missing_file_and_a_device_are_refused(tmp_path: Path) -> None:
    for path, message in (
        (tmp_path, "is a folder"),
        (tmp_path / "none.db", "no such file"),
        (Path("/dev/null"), "not a regular file"),
    ):
        with pytest.raises(UsageError, match=message), open_legacy(path):
            pass


def test_a_damaged_page_is_found_before_anything_is_moved(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    connection = make(path)
    rows = [(number, "t", "x" * 900, "kim", None, None) for number in range(200)]
    connection.executemany("INSERT INTO posts VALUES (?, ?, ?, ?, ?, ?)", rows)
    connection.commit()
    connection.close()
    content = bytearray(path.read_bytes())
    content[4096 * 10 : 4096 * 12] = b"\xaa" * 8192
    path.write_bytes(content)
    with pytest.raises(TitaniumError, match="is damaged") as raised, open_legacy(path):
        pass
    assert ".recover" in raised.value.hint


def test_a_truncated_file_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    connection = make(path)
    connection.execute("INSERT INTO posts VALUES (1, 't', ?, 'kim', NULL, NULL)", ("x" * 50_000,))
    connection.commit()
    connection.close()
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(TitaniumError, match="is damaged"), open_legacy(path):
        pass


def test_a_broken_rule_of_the_schema_does_not_keep_the_rows_back(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    connection = make(path)
    connection.execute("INSERT INTO users VALUES (1, NULL, NULL, NULL)")
    connection.commit()
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute(
        "UPDATE sqlite_master SET sql = replace(sql, 'username TEXT', 'username TEXT NOT NULL')"
    )
    connection.commit()
    connection.close()
    with open_legacy(path) as legacy:
        assert legacy.count(USERS) == 1


def test_text_in_another_encoding_is_handed_out_as_utf8(tmp_path: Path) -> None:
    connection = make(tmp_path / "old.db", "PRAGMA encoding = 'UTF-16le';" + SCHEMA)
    connection.execute("INSERT INTO users VALUES (1, '김', NULL, 'h')")
    connection.commit()
    connection.close()
    with open_legacy(tmp_path / "old.db") as legacy:
        assert next(legacy.rows(USERS))["username"] == "김".encode()
