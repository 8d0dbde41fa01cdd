"""From a stored row of the first version to a row that the services' admin modules take.

What cannot be told for sure raises `RowError`: nothing is guessed, cut or repaired silently.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from titanium.transfer.sqlite_file import Value

StoredRow = Mapping[str, Value]

# The first version allowed accounts without an e-mail address; the platform does not.
# Nothing is ever delivered to .invalid (RFC 2606).
MISSING_EMAIL = "user-{id}@first-version.invalid"

_EARLIEST, _LATEST = 0.0, 4_102_444_800.0  # 1970 and 2100, in seconds since the epoch


class RowError(Exception):
    """Why a row cannot be moved; the message names the column."""


def identity(row: StoredRow) -> int:
    """The row's id. Raises RowError unless it is a whole number from 1 on."""
    value = row["id"]
    if isinstance(value, bytes) and value.isdigit():
        value = int(value)
    if not isinstance(value, int) or not 1 <= value < 2**63:
        raise RowError("id: not a positive whole number")
    return value


def text(row: StoredRow, column: str) -> str:
    """The column as text; an empty string for NULL or a missing column."""
    value = row.get(column)
    if value is None:
        return ""
    if not isinstance(value, bytes):
        return str(value)
    try:
        decoded = value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RowError(f"{column}: byte {error.start} is not UTF-8") from None
    if "\x00" in decoded:
        raise RowError(f"{column}: has a NUL character, which PostgreSQL cannot store")
    return decoded


def needed(row: StoredRow, column: str) -> str:
    """Like `text`; RowError when there is nothing but space."""
    value = text(row, column)
    if not value.strip():
        raise RowError(f"{column}: is empty")
    return value


def moment(row: StoredRow, column: str) -> datetime | None:
    """The time in that column; None for NULL, an empty text or a missing column.

    SQLite has no type for times. Taken are ISO 8601 texts with a space or a T, with or without
    seconds, fraction and offset (none means UTC, as in SQLite's own functions), dates, and
    numbers of seconds since 1970.
    """
    value = row.get(column)
    if isinstance(value, (int, float)):
        if not _EARLIEST <= value <= _LATEST:
            raise RowError(f"{column}: {value} is no time in seconds since 1970")
        return datetime.fromtimestamp(value, UTC)
    written = text(row, column).strip()
    if not written:
        return None
    try:
        parsed = datetime.fromisoformat(written)
        parsed = parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        raise RowError(f"{column}: {written[:40]!r} is not a time") from None
    return parsed


def folded(username: str) -> str:
    """Equal for two usernames that the platform takes for the same."""
    return unicodedata.normalize("NFC", username).casefold()


def user_row(row: StoredRow) -> dict[str, Any]:
    """A row for `titanium_user.admin import`."""
    number = identity(row)
    return {
        "legacy_id": number,
        "username": needed(row, "username"),
        "email": text(row, "email").strip() or MISSING_EMAIL.format(id=number),
        "password_hash": needed(row, "password_hash"),
    }


def post_row(row: StoredRow, fallback: datetime) -> dict[str, Any]:
    """A row for `titanium_blog.admin import`, without `source`, `author_id` and `author`.

    Space around a title goes. A missing time is the other one, or `fallback`; an update before
    the creation is moved to it.
    """
    number = identity(row)
    created, updated = moment(row, "created_at"), moment(row, "updated_at")
    created = created or updated or fallback
    return {
        "legacy_id": number,
        "title": needed(row, "title").strip(),
        "content": needed(row, "content"),
        "created_at": created.isoformat(),
        "updated_at": max(created, updated or created).isoformat(),
    }
