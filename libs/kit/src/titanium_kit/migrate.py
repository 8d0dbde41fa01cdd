"""Runs a service's Alembic migrations as the database's owner, one process at a time.

`python -m titanium_kit.migrate titanium_blog` upgrades to the newest revision under an advisory
lock, then exits; replicas that start together wait for the first. The revisions are in the
package `<name>.migrations`, one Python file each.
"""

from __future__ import annotations

import asyncio
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import asyncpg
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, make_url, pool, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from titanium_kit.settings import ServiceSettings, SettingsError, load_settings

LOCK = 7_310_579_103  # any number that only migrations use
WAIT = 30.0
ATTEMPT = 3.0


class MigrationError(Exception):
    """The schema could not be brought up to date; says why in one line."""


def script_directory(package: str) -> ScriptDirectory:
    """The revisions of `package`, for example `titanium_blog`."""
    try:
        folder = Path(next(iter(import_module(f"{package}.migrations").__path__)))
    except (ImportError, AttributeError, StopIteration):
        raise MigrationError(f"{package}.migrations is not a package that can be found") from None
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.set_main_option("version_locations", str(folder))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)


def _upgrade(connection: Connection, scripts: ScriptDirectory) -> tuple[str | None, str | None]:
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    before = MigrationContext.configure(connection).get_current_revision()
    head = scripts.get_current_head()
    known = {revision.revision for revision in scripts.walk_revisions()}
    if before is not None and before not in known:
        raise MigrationError(
            f"the database is at revision {before}, which this version does not know: "
            "it was migrated by a newer version; run that version, or restore a backup"
        )

    def steps(revision: Any, _context: Any) -> Any:
        return scripts._upgrade_revs("head", revision)  # noqa: SLF001 - as alembic.command does

    with EnvironmentContext(Config(), scripts, fn=steps, destination_rev="head") as environment:
        environment.configure(connection=connection, transactional_ddl=True)
        environment.run_migrations()
    return before, head


async def migrate(settings: ServiceSettings, package: str) -> str:
    """Upgrade the database of `settings`; returns a sentence. Raises `MigrationError`."""
    url = make_url(settings.database_owner_url or settings.database_url)
    secret = (
        settings.database_owner_password
        if settings.database_owner_url
        else (settings.database_password)
    )
    url = url.set(drivername="postgresql+asyncpg", password=secret.get_secret_value() or None)
    # A server that is replaced meanwhile may leave an attempt without an answer: not for long.
    engine = create_async_engine(url, poolclass=pool.NullPool, connect_args={"timeout": ATTEMPT})
    scripts = script_directory(package)
    deadline = time.monotonic() + WAIT
    try:
        while True:
            try:
                async with engine.begin() as connection:
                    before, after = await connection.run_sync(_upgrade, scripts)
            except (OSError, asyncpg.CannotConnectNowError) as error:
                if time.monotonic() > deadline:
                    reason = str(error) or type(error).__name__
                    raise MigrationError(f"no database after {WAIT:g} s: {reason}") from None
                await asyncio.sleep(0.2)
            except DBAPIError as error:
                raise MigrationError(str(error.orig)) from None
            else:
                return f"{before or 'empty'} -> {after}" if before != after else f"at {after}"
    finally:
        await engine.dispose()


def main() -> None:
    """Command line: one argument, the service's package. Exit status 1 on failure."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m titanium_kit.migrate PACKAGE")
    try:
        result = asyncio.run(migrate(load_settings(ServiceSettings), sys.argv[1]))
    except (MigrationError, SettingsError) as error:
        sys.exit(f"migration of {sys.argv[1]} failed: {error}")
    sys.stdout.write(f"{sys.argv[1]}: {result}\n")


if __name__ == "__main__":
    main()
