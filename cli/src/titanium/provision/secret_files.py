"""Secrets of a run: one file each, made once, readable by the owner alone."""

from __future__ import annotations

import secrets as random
from pathlib import Path

from titanium.errors import StateError
from titanium.files import write_atomically


def secret(path: Path) -> str:
    """The secret in that file: 32 random bytes as base64url (43 characters), made on first use."""
    try:
        value = path.read_text("ascii").strip()
    except FileNotFoundError:
        return _create(path, random.token_urlsafe(32))
    except (OSError, UnicodeDecodeError) as error:
        raise StateError(f"cannot read the secret {path}: {error}", _HINT) from None
    if not value:
        raise StateError(f"the secret {path} is empty", _HINT)
    return value


_HINT = "Restore it from a backup; `titanium reset` starts anew and deletes all data."


def _create(path: Path, value: str) -> str:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Lost with a power cut, it would make the data that it protects unreadable.
    write_atomically(path, value, durable=True)
    return value
