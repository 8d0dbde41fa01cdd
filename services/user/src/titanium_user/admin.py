"""Administration of accounts: `python -m titanium_user.admin COMMAND`.

    disable NAME    end all sessions of NAME and refuse logins; takes effect within a second
    enable NAME     take logins of NAME again
    import          read accounts as JSON lines from standard input, write one outcome a line

A line for `import` is `{"legacy_id": int, "username": str, "email": str, "password_hash": str}`,
optionally with `display_name` and `bio`; `password` in the place of `password_hash` is hashed
here. An outcome is `{"legacy_id", "id", "status", "reason"}`, in the order of the input, where
`status` is `created`, `existing` (same username and e-mail address; nothing is changed) or
`rejected` (`reason` says why). Importing again changes nothing.

Settings are those of the service. Exit status: 0 done, 1 could not (one line says why), 2 wrong
usage. `import` exits with 0 when every line has its outcome, rejected ones too.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import BinaryIO, Self

import orjson
from pydantic import BaseModel, Field, ValidationError, model_validator

from titanium_kit.body import parse_json
from titanium_kit.database import Database
from titanium_kit.problems import Problem
from titanium_kit.settings import SettingsError, load_settings
from titanium_user.adapters.accounts import SqlAccounts
from titanium_user.adapters.common_passwords import common_passwords
from titanium_user.adapters.hashing import ThreadedHasher, is_hash
from titanium_user.adapters.importing import AccountImporter, Newcomer, Outcome, RacedError
from titanium_user.domain.errors import AccountError, UnknownUserError, WeakPasswordError
from titanium_user.domain.passwords import PasswordPolicy
from titanium_user.http.schemas import Bio, DisplayName, Email, GivenPassword, Username
from titanium_user.settings import UserSettings

BATCH = 500
LONGEST_HASH = 1024


class ImportRow(BaseModel):
    """One line of the input."""

    username: Username
    email: Email
    password_hash: str | None = Field(default=None, max_length=LONGEST_HASH)
    password: GivenPassword | None = None
    display_name: DisplayName = ""
    bio: Bio = ""

    @model_validator(mode="after")
    def _one_secret(self) -> Self:
        if (self.password_hash is None) == (self.password is None):
            raise ValueError("needs either password_hash or password")
        if self.password_hash is not None and not is_hash(self.password_hash):
            raise ValueError("password_hash is neither argon2id, scrypt nor pbkdf2:sha256")
        return self


def _reason(error: ValidationError) -> str:
    parts = []
    for item in error.errors(include_input=False, include_url=False):
        place = ".".join(str(part) for part in item["loc"])
        message = str(item["msg"]).removeprefix("Value error, ")
        parts.append(f"{place}: {message}" if place else message)
    return "; ".join(parts)


def read_row(line: bytes, policy: PasswordPolicy) -> tuple[object, Newcomer | str]:
    """(legacy id or None, the newcomer or why the line is no newcomer)."""
    try:
        value = parse_json(line)
    except Problem as error:
        return None, error.detail
    legacy_id = value.get("legacy_id") if isinstance(value, dict) else None
    if not isinstance(legacy_id, int):
        legacy_id = None
    try:
        row = ImportRow.model_validate(value)
        if row.password is not None:
            policy.check(row.password, username=row.username, email=row.email)
    except ValidationError as error:
        return legacy_id, _reason(error)
    except WeakPasswordError as error:
        return legacy_id, f"password: {error}"
    return legacy_id, Newcomer(**row.model_dump())


def _batches(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    present = (line for line in lines if line.strip())
    while batch := list(islice(present, BATCH)):
        yield batch


async def import_accounts(settings: UserSettings, source: BinaryIO, target: BinaryIO) -> None:
    """Import the lines of `source`; writes to `target`. Each batch is committed by itself."""
    policy = PasswordPolicy(common_passwords())
    database = Database(settings)
    hasher = ThreadedHasher(settings.model_copy(update={"hash_queue": BATCH}))
    importer = AccountImporter(database, hasher)
    await database.start()
    try:
        for batch in _batches(source):
            rows = [read_row(line, policy) for line in batch]
            people = [row for _, row in rows if isinstance(row, Newcomer)]
            outcomes = iter(await importer.run(people))
            for legacy_id, row in rows:
                outcome = (
                    Outcome("rejected", reason=row) if isinstance(row, str) else next(outcomes)
                )
                answer = {
                    "legacy_id": legacy_id,
                    "id": outcome.id,
                    "status": outcome.status,
                    "reason": outcome.reason,
                }
                target.write(orjson.dumps(answer) + b"\n")
            target.flush()
    finally:
        await hasher.stop()
        await database.stop()


async def switch(settings: UserSettings, username: str, *, enabled: bool) -> str:
    """Enable or disable an account; returns a sentence. Raises `UnknownUserError`."""
    database = Database(settings)
    # No lease: a running service delivers the notice, at its next poll.
    accounts = SqlAccounts(database, lease=0)
    await database.start()
    try:
        changed = await (accounts.enable if enabled else accounts.disable)(username)
    finally:
        await database.stop()
    state = "enabled" if enabled else "disabled"
    return f"{username} is {state}" if changed else f"{username} was {state} already"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m titanium_user.admin",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in ("disable", "enable"):
        commands.add_parser(name).add_argument("username", metavar="NAME")
    commands.add_parser("import")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line; see the module's description."""
    options = _parser().parse_args(arguments)
    try:
        settings = load_settings(UserSettings)
        if options.command == "import":
            asyncio.run(import_accounts(settings, sys.stdin.buffer, sys.stdout.buffer))
        else:
            enabled = options.command == "enable"
            sentence = asyncio.run(switch(settings, options.username, enabled=enabled))
            sys.stdout.write(f"{sentence}\n")
    except UnknownUserError:
        sys.exit(f"there is no user named {options.username!r}")
    except Problem as error:
        sys.exit(f"{options.command} failed: {error.detail}")
    except (AccountError, RacedError, SettingsError) as error:
        sys.exit(f"{options.command} failed: {error}")


if __name__ == "__main__":
    main()
