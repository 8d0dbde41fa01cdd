"""Reads the first version's SQLite file: never written to, not even by a journal's recovery."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from titanium.errors import TitaniumError, UsageError

Value: TypeAlias = int | float | bytes | None
"""A stored value; TEXT and BLOB both come as bytes, because TEXT need not be valid UTF-8."""

_MAGIC = b"SQLite format 3\x00"
# Committed work that is not in the main file yet lies in the first, work to undo in the second.
_COMPANIONS = ("-wal", "-journal")
# What quick_check also reports although every row can be read.
_HARMLESS = ("NULL value in", "CHECK constraint failed", "TEXT value in", "NUMERIC value in")
_INDEX_ONLY = ("missing from index", "entries in index", "non-unique entry in index")


@dataclass(frozen=True, slots=True)
class TableShape:
    """A table of the first version: columns that must be there, and those that may be."""

    name: str
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()


USERS = TableShape("users", ("username", "password_hash"), ("email",))
POSTS = TableShape("posts", ("title", "content", "author"), ("created_at", "updated_at"))


class LegacyFile:
    """A private copy of the file, opened. Rows come in id order as {column: value}."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.path = path
        self.modified = path.stat().st_mtime
        self._connection = connection
        self._columns = {shape.name: self._known_columns(shape) for shape in (USERS, POSTS)}
        self._check_shapes()

    def count(self, shape: TableShape) -> int:
        """Number of rows."""
        query = f'SELECT count(*) FROM "{shape.name}"'  # noqa: S608 - a name of ours
        with _explained(self.path):
            (number,) = self._connection.execute(query).fetchone()
        return int(number)

    def rows(self, shape: TableShape) -> Iterator[dict[str, Value]]:
        """Every row: `id` (the rowid when there is no such column) and the known columns."""
        known = self._columns[shape.name]
        columns = [name for name in (*shape.required, *shape.optional) if name in known]
        identity = "id" if "id" in known else "rowid"
        listed = ", ".join(f'"{name}"' for name in columns)
        query = f'SELECT {identity}, {listed} FROM "{shape.name}" ORDER BY 1'  # noqa: S608 - names of ours
        with _explained(self.path):
            for values in self._connection.execute(query):
                yield dict(zip(("id", *columns), values, strict=True))

    def unknown_columns(self, shape: TableShape) -> list[str]:
        """Columns that hold something which is not moved."""
        known = {"id", *shape.required, *shape.optional}
        return [name for name in self._columns[shape.name] if name not in known]

    def _known_columns(self, shape: TableShape) -> list[str]:
        with _explained(self.path):
            found = self._connection.execute(f'PRAGMA table_info("{shape.name}")').fetchall()
        return [bytes(row[1]).decode("utf-8", "replace").lower() for row in found]

    def _check_shapes(self) -> None:
        missing = []
        for shape in (USERS, POSTS):
            columns = self._columns[shape.name]
            if not columns:
                missing.append(f"table {shape.name}")
            else:
                missing += [f"column {shape.name}.{n}" for n in shape.required if n not in columns]
        if missing:
            query = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
            tables = [row[0].decode("utf-8", "replace") for row in self._connection.execute(query)]
            raise UsageError(
                f"{self.path} is not a database of the first version: it has no "
                f"{', '.join(missing)} (its tables: {', '.join(tables) or 'none'})",
                "Give the file with users(id, username, email, password_hash) and "
                "posts(id, title, content, author, created_at, updated_at).",
            )


@contextmanager
def open_legacy(path: Path) -> Iterator[LegacyFile]:
    """Copy the file aside with its journals, check the copy and open it.

    Raises UsageError when it is not a usable file, TitaniumError when it is damaged or changes
    while it is copied.
    """
    _check_header(path)
    with tempfile.TemporaryDirectory(prefix="titanium-import-") as folder:
        copy = Path(folder) / "database"
        _copy(path, copy)
        with _explained(path):
            connection = sqlite3.connect(copy, check_same_thread=False)
        try:
            connection.text_factory = bytes
            _check_integrity(connection, path)
            yield LegacyFile(connection, path)
        finally:
            connection.close()


def _check_header(path: Path) -> None:
    hint = "Give the first version's database file (for a Flask application often instance/*.db)."
    try:
        if not path.exists():
            raise UsageError(f"{path}: there is no such file", hint)
        if not path.is_file():
            what = "a folder" if path.is_dir() else "not a regular file"
            raise UsageError(f"{path} is {what}", hint)
        with path.open("rb") as file:
            header = file.read(len(_MAGIC))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", hint) from None
    if not header:
        raise UsageError(f"{path} is empty: it holds no database", hint)
    if header != _MAGIC:
        raise UsageError(
            f"{path} is not a SQLite database, or it is encrypted",
            f"{hint} Decrypt an encrypted one with the program that made it.",
        )


def _state(path: Path) -> tuple[tuple[int, int] | None, ...]:
    """Sizes and times of the file and its journals, to notice a writer."""
    found: list[tuple[int, int] | None] = []
    for suffix in ("", *_COMPANIONS):
        file = path.with_name(path.name + suffix)
        facts = file.stat() if file.exists() else None
        found.append((facts.st_size, facts.st_mtime_ns) if facts else None)
    return tuple(found)


def _copy(path: Path, copy: Path) -> None:
    try:
        real = path.resolve()  # SQLite keeps the journals beside the file, not beside a link to it
        before = _state(real)
        for suffix in ("", *_COMPANIONS):
            source = real.with_name(real.name + suffix)
            if source.exists():
                shutil.copyfile(source, copy.with_name(copy.name + suffix))
        changed = _state(real) != before
    except OSError as error:
        raise TitaniumError(
            f"{path} cannot be copied to {copy.parent}: {error.strerror}",
            "Check the file's permissions and free space, or set TMPDIR to a larger disk.",
        ) from None
    if changed:
        raise TitaniumError(
            f"{path} was written to while it was copied",
            "Stop the first version of the platform, then try again.",
        )


def _check_integrity(connection: sqlite3.Connection, path: Path) -> None:
    with _explained(path):
        messages = [row[0].decode("utf-8", "replace") for row in connection.execute(_QUICK_CHECK)]
    faults = [m for m in messages if m != "ok" and not _is_harmless(m)]
    if faults:
        raise _damaged(path, faults[0])


_QUICK_CHECK = "PRAGMA quick_check(100)"


def _is_harmless(message: str) -> bool:
    return message.startswith(_HARMLESS) or any(part in message for part in _INDEX_ONLY)


def _damaged(path: Path, reason: str) -> TitaniumError:
    return TitaniumError(
        f"{path} is damaged: {' '.join(reason.split())}",
        f"Restore it from a backup, or rescue what can be read: "
        f"sqlite3 {path.name} .recover | sqlite3 rescued.db",
    )


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise _damaged(path, str(error)) from None
