"""Migrations: fresh, again, two at once, a newer database, no database."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from titanium_kit import migrate as module
from titanium_kit.migrate import MigrationError, migrate, script_directory
from titanium_kit.settings import ServiceSettings

pytestmark = pytest.mark.integration

REVISION = '''"""{about}"""

from alembic import op

revision = "{name}"
down_revision = {before!r}
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("{sql}")
'''


def write(folder: Path, name: str, before: str | None, sql: str) -> None:
    text = REVISION.format(about=name, name=name, before=before, sql=sql)
    (folder / f"{name}.py").write_text(text)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An importable package with two revisions."""
    name = f"sample_{os.urandom(4).hex()}"
    folder = tmp_path / name / "migrations"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    (folder / "__init__.py").touch()
    write(folder, "0001", None, "CREATE TABLE a (id int)")
    write(folder, "0002", "0001", "CREATE TABLE b (id int)")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return name


@pytest.fixture
async def own(postgres: Any) -> Any:
    return await postgres.create_database()


async def tables(own: Any) -> list[str]:
    connection = await asyncpg.connect(own.url, password=own.password)
    rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    await connection.close()
    return sorted(row["tablename"] for row in rows)


async def test_a_fresh_database_gets_everything_and_a_second_run_nothing(
    own: Any, package: str, settings: Callable[..., ServiceSettings]
) -> None:
    assert await migrate(settings(**own.environment()), package) == "empty -> 0002"
    assert await tables(own) == ["a", "alembic_version", "b"]
    assert await migrate(settings(**own.environment()), package) == "at 0002"


async def test_the_owners_url_and_password_are_used_when_given(
    own: Any, package: str, settings: Callable[..., ServiceSettings]
) -> None:
    configured = settings(
        database_url="postgresql://nobody@/nowhere",
        database_password="wrong",
        database_owner_url=own.url,
        database_owner_password=own.password,
    )
    assert await migrate(configured, package) == "empty -> 0002"


async def test_a_failing_revision_leaves_nothing_behind(
    own: Any, package: str, settings: Callable[..., ServiceSettings], tmp_path: Path
) -> None:
    write(tmp_path / package / "migrations", "0003", "0002", "CREATE TABLE a (id int)")
    with pytest.raises(MigrationError, match='relation "a" already exists') as caught:
        await migrate(settings(**own.environment()), package)
    assert "\n" not in str(caught.value)
    assert await tables(own) == []


async def test_a_database_of_a_newer_version_is_left_alone(
    own: Any, package: str, settings: Callable[..., ServiceSettings]
) -> None:
    await migrate(settings(**own.environment()), package)
    connection = await asyncpg.connect(own.url, password=own.password)
    await connection.execute("UPDATE alembic_version SET version_num = '9999'")
    await connection.close()
    with pytest.raises(MigrationError, match="revision 9999, which this version does not know"):
        await migrate(settings(**own.environment()), package)


async def test_a_wrong_password_is_said_at_once(
    own: Any, package: str, settings: Callable[..., ServiceSettings]
) -> None:
    configured = settings(database_url=own.url, database_password="wrong")
    with pytest.raises(MigrationError, match="password authentication failed"):
        await migrate(configured, package)


async def test_a_database_that_is_not_there_is_said_at_once(
    own: Any, package: str, settings: Callable[..., ServiceSettings]
) -> None:
    configured = settings(
        database_url=own.url.replace("/t_", "/u_"), database_password=own.password
    )
    with pytest.raises(MigrationError, match=r'database "u_.*" does not exist'):
        await migrate(configured, package)


async def test_a_server_that_is_away_is_waited_for(
    package: str,
    settings: Callable[..., ServiceSettings],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "WAIT", 0.3)
    configured = settings(database_url=f"postgresql://x@/x?host={tmp_path}")
    with pytest.raises(MigrationError, match=r"no database after 0\.3 s"):
        await migrate(configured, package)


async def test_a_server_that_never_answers_is_given_up_and_tried_again(
    package: str,
    settings: Callable[..., ServiceSettings],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As the address of one that was replaced may be for a minute."""
    monkeypatch.setattr(module, "WAIT", 0.5)
    monkeypatch.setattr(module, "ATTEMPT", 0.2)
    attempts: list[asyncio.StreamWriter] = []

    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        attempts.append(writer)

    server = await asyncio.start_unix_server(silent, str(tmp_path / ".s.PGSQL.5432"))
    configured = settings(database_url=f"postgresql://x@/x?host={tmp_path}")
    with pytest.raises(MigrationError, match="TimeoutError"):
        await migrate(configured, package)
    assert len(attempts) > 1
    server.close()
    for writer in attempts:
        writer.close()


def test_a_package_without_migrations_is_named() -> None:
    with pytest.raises(MigrationError, match=r"asyncpg\.migrations is not a package"):
        script_directory("asyncpg")


async def test_two_processes_at_once_migrate_once(own: Any, package: str) -> None:
    environment = {
        **os.environ,
        "SERVICE": "test",
        "ENVIRONMENT": "development",
        "DATABASE_URL": own.url,
        "DATABASE_PASSWORD": own.password,
    }
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "titanium_kit.migrate",
            package,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        for _ in range(2)
    ]
    outputs = [await process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    said = sorted(output.decode() for output, _ in outputs)
    assert said == [f"{package}: at 0002\n", f"{package}: empty -> 0002\n"]


def test_the_command_line_in_this_process(
    package: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    postgres: Any,
) -> None:
    own = asyncio.run(postgres.create_database())
    monkeypatch.setattr(sys, "argv", ["x", package])
    monkeypatch.setenv("SERVICE", "test")
    monkeypatch.setenv("ENVIRONMENT", "development")
    monkeypatch.setenv("DATABASE_URL", own.url)
    monkeypatch.setenv("DATABASE_PASSWORD", own.password)
    module.main()
    assert capsys.readouterr().out == f"{package}: empty -> 0002\n"
