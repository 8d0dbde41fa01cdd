"""`python -m titanium_user.admin`."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Coroutine
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from werkzeug.security import generate_password_hash

import titanium_kit.database
from titanium_user import admin
from titanium_user.adapters.hashing import ThreadedHasher
from titanium_user.adapters.importing import AccountImporter, Newcomer, RacedError
from titanium_user.settings import UserSettings

pytestmark = pytest.mark.integration

HASH = generate_password_hash("first version", "pbkdf2:sha256:1000")


class Database:
    """A migrated database, the settings that open it, and its rows."""

    def __init__(self, database: Any) -> None:
        self.database = database
        self.settings = UserSettings(
            service="user",
            environment="development",
            argon2_memory_kib=64,
            **database.environment(),
        )

    async def sql(self, statement: str) -> list[Any]:
        connection = await asyncpg.connect(self.database.url, password=self.database.password)
        try:
            rows: list[Any] = await connection.fetch(statement)
        finally:
            await connection.close()
        return rows

    async def run(self, *rows: object) -> list[dict[str, Any]]:
        lines = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
        target = BytesIO()
        await admin.import_accounts(self.settings, BytesIO(b"\n".join(lines)), target)
        return [json.loads(line) for line in target.getvalue().splitlines()]


@pytest.fixture
async def database(migrated: Callable[[str], Awaitable[Any]]) -> Database:
    return Database(await migrated("titanium_user"))


def row(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "legacy_id": number,
        "username": f"user{number}",
        "email": f"user{number}@example.org",
        "password_hash": HASH,
        **changes,
    }


async def test_import_tells_what_became_of_every_row_in_order(database: Database) -> None:
    results = await database.run(
        row(1),
        row(2, username="USER1"),
        row(3, email="USER1@example.org"),
        row(4, username="USER1", email="User1@example.org"),
        row(5, username="a/b"),
        row(6, password_hash="plain text"),
        row(7, password_hash="md5$abc$def"),
        row(8, password_hash=None),
        row(9, password="something long"),
        b"{not json",
        b"\xff\xfe",
        b"[]",
        b"",
        row(10, password_hash=None, password="password1"),
        row(11, password_hash=None, password="a good password", bio="Hi", display_name="십일"),
        row(12, username="me"),
        row(13, legacy_id="x"),
    )
    assert [result["status"] for result in results] == [
        *["created", "rejected", "rejected", "existing"],
        *["rejected"] * 9,
        *["created", "rejected", "created"],
    ]
    assert [result["legacy_id"] for result in results] == [
        *range(1, 10),
        *[None] * 3,
        *[10, 11, 12, None],
    ]
    assert results[3]["id"] == results[0]["id"]
    assert all((result["reason"] is None) == (result["id"] is not None) for result in results)
    assert "another e-mail address" in results[1]["reason"]
    assert "e-mail address is taken" in results[2]["reason"]
    assert results[4]["reason"].startswith("username: ")
    assert "password_hash" in results[5]["reason"]
    rows = await database.sql("SELECT * FROM account ORDER BY id")
    assert [found["username"] for found in rows] == ["user1", "user11", "user13"]
    assert rows[0]["password_hash"] == HASH
    assert rows[1]["password_hash"].startswith("$argon2id$")
    assert (rows[1]["display_name"], rows[1]["bio"]) == ("십일", "Hi")


async def test_importing_again_changes_nothing(database: Database) -> None:
    people = [row(number) for number in range(1200)]
    first = await database.run(*people)
    assert {result["status"] for result in first} == {"created"}
    before = await database.sql("SELECT * FROM account ORDER BY id")
    again = await database.run(*[{**person, "bio": "other"} for person in people])
    assert {result["status"] for result in again} == {"existing"}
    assert [result["id"] for result in again] == [result["id"] for result in first]
    assert await database.sql("SELECT * FROM account ORDER BY id") == before


async def test_the_name_of_a_deleted_account_is_not_imported(database: Database) -> None:
    await database.run(row(1))
    await database.sql("DELETE FROM account")
    (result,) = await database.run(row(1))
    assert result["status"] == "rejected"
    assert "deleted" in result["reason"]


def command(database: Database, *arguments: str, stdin: bytes = b"", **extra: str) -> Any:
    environment = {
        **os.environ,
        "SERVICE": "user",
        "ENVIRONMENT": "development",
        "DATABASE_URL": database.database.url,
        "DATABASE_PASSWORD": database.database.password,
        **extra,
    }
    return subprocess.run(
        [sys.executable, "-m", "titanium_user.admin", *arguments],
        input=stdin,
        env=environment,
        capture_output=True,
        timeout=60,
    )


async def test_the_command_line_disables_and_enables(database: Database) -> None:
    done = command(database, "import", stdin=json.dumps(row(1)).encode())
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "created"

    assert command(database, "disable", "USER1").stdout == b"USER1 is disabled\n"
    assert command(database, "disable", "user1").stdout == b"user1 was disabled already\n"
    (account,) = await database.sql("SELECT * FROM account")
    assert account["disabled_at"] is not None
    assert account["session_epoch"] == 2
    notices = await database.sql("SELECT kind, user_id, epoch, due_at <= now() FROM outbox")
    assert [tuple(notice) for notice in notices] == [("end_sessions", account["id"], 2, True)]

    assert command(database, "enable", "user1").stdout == b"user1 is enabled\n"
    assert command(database, "enable", "user1").stdout == b"user1 was enabled already\n"


def test_the_command_line_in_this_process(
    migrated: Callable[[str], Coroutine[Any, Any, Any]],
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    database = asyncio.run(migrated("titanium_user"))
    for name, value in (
        ("SERVICE", "user"),
        ("ENVIRONMENT", "development"),
        ("DATABASE_URL", database.url),
        ("DATABASE_PASSWORD", database.password),
    ):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(json.dumps(row(1)).encode())))
    admin.main(["import"])
    for command_name in ("disable", "disable", "enable", "enable"):
        admin.main([command_name, "user1"])
    lines = capfdbinary.readouterr().out.splitlines()
    assert json.loads(lines[0])["status"] == "created"
    assert lines[1:] == [
        b"user1 is disabled",
        b"user1 was disabled already",
        b"user1 is enabled",
        b"user1 was enabled already",
    ]
    for arguments, complaint in (
        (["disable", "nobody"], "there is no user named 'nobody'"),
        (["enable", "nobody"], "there is no user named 'nobody'"),
    ):
        with pytest.raises(SystemExit, match=complaint):
            admin.main(arguments)
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@/x?host=/nowhere")
    with pytest.raises(SystemExit, match=r"^enable failed: The database is away"):
        admin.main(["enable", "user1"])
    monkeypatch.setenv("LOG_LEVEL", "loud")
    with pytest.raises(SystemExit, match=r"^enable failed: LOG_LEVEL"):
        admin.main(["enable", "user1"])


class RacingHasher(ThreadedHasher):
    """Somebody registers the address while the password is being hashed."""

    def __init__(self, database: Database) -> None:
        super().__init__(database.settings)
        self.accounts = database

    async def hash(self, password: str) -> str:
        await self.accounts.sql(
            "INSERT INTO account (username, email, password_hash)"
            " VALUES ('racer', 'user1@example.org', repeat('x', 40))"
        )
        return await super().hash(password)


async def imported(database: Database, hasher: ThreadedHasher) -> Any:
    pool = titanium_kit.database.Database(database.settings)
    await pool.start()
    try:
        person = Newcomer("user1", "user1@example.org", password="a good password")
        return await AccountImporter(pool, hasher).run([person])
    finally:
        await pool.stop()
        await hasher.stop()


async def test_an_address_registered_meanwhile_is_rejected(database: Database) -> None:
    (outcome,) = await imported(database, RacingHasher(database))
    assert outcome.status == "rejected"
    assert await database.sql("SELECT 1 FROM used_name") == []


async def test_a_race_that_does_not_end_is_given_up(database: Database) -> None:
    # An insertion that writes nothing looks like a name that somebody has just used.
    await database.sql(
        "CREATE FUNCTION vanish() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
    )
    await database.sql(
        "CREATE TRIGGER vanish BEFORE INSERT ON used_name FOR EACH ROW EXECUTE FUNCTION vanish()"
    )
    with pytest.raises(RacedError, match="try again"):
        await imported(database, ThreadedHasher(database.settings))


async def test_mistakes_are_one_line_and_an_exit_status(database: Database, tmp_path: Path) -> None:
    unknown = command(database, "disable", "nobody")
    assert (unknown.returncode, unknown.stderr) == (1, b"there is no user named 'nobody'\n")
    assert command(database, "enable", "nobody").returncode == 1
    away = command(database, "disable", "x", DATABASE_URL=f"postgresql://u@/x?host={tmp_path}")
    assert away.returncode == 1
    assert away.stderr.startswith(b"disable failed: The database is away")
    assert b"Traceback" not in away.stderr
    wrong = command(database, "enable", "x", LOG_LEVEL="loud")
    assert wrong.returncode == 1
    assert wrong.stderr.startswith(b"enable failed: LOG_LEVEL")
    assert command(database).returncode == 2
