"""`titanium db`: migrations, and the move from the platform's first version."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from titanium.commands._common import existing_home, home_option
from titanium.errors import TitaniumError

if TYPE_CHECKING:
    from titanium.transfer.report import Report, Tally

EPILOG = """\b
Examples:
  titanium db migrate
  titanium db import-sqlite old/blog.db --dry-run
  titanium db import-sqlite old/blog.db
"""
IMPORT_EPILOG = """\b
Examples:
  titanium db import-sqlite old/blog.db --dry-run
  titanium db import-sqlite old/blog.db

\b
Exit codes:
  0  everything is there
  1  damaged file, or what arrived is not what was sent
  2  not a database of the first version
  4  the platform is not running
  8  rows were rejected: the rest is there, they are in import-rejected-<time>.json
"""
SHOWN = 20


@click.group(epilog=EPILOG)
def command() -> None:
    """Migrate the databases; import the first version's data."""


@command.command(epilog=EPILOG)
@home_option
def migrate(home: str | None) -> None:
    """Bring every service's database to its newest revision.

    `titanium up` does this by itself. In a stopped platform, PostgreSQL alone is started for
    it and stopped again.
    """
    from titanium.transfer.migrations import migrate_all

    migrate_all(existing_home(home), lambda step, what: click.echo(f"  {step:<18} {what}"))


@command.command("import-sqlite", epilog=IMPORT_EPILOG)
@click.argument("file", type=click.Path(path_type=Path))
@home_option
@click.option("--dry-run", is_flag=True, help="Read and check FILE; store nothing in the platform.")
def import_sqlite(file: Path, home: str | None, dry_run: bool) -> None:
    """Move users and posts of the platform's first version from the SQLite FILE.

    FILE is only read. It has users(username, password_hash, email) and posts(title, content,
    author, created_at, updated_at); e-mail addresses and times may be missing. Passwords keep
    working. Running it again moves what is new and changes nothing that is there.

    Posts keep their numbers, and so their addresses, while those are free: to move into an empty
    platform, start it with `titanium up -d --no-seed`. Posts whose author has no row in users
    get an account of that name that nobody can log in to. A row that cannot be moved is left
    out whole, listed with the reason, and written to import-rejected-<time>.json in the current
    folder.

    A dry run checks the file itself and needs no running platform; the services' own rules
    (length, form of names) are applied by the import only.
    """
    from titanium.transfer.importer import Import
    from titanium.transfer.platform import LocalPlatform
    from titanium.transfer.progress import progress
    from titanium.transfer.report import RejectedRowsError, write_rejected
    from titanium.transfer.sqlite_file import POSTS, USERS, open_legacy

    with open_legacy(file) as legacy, progress() as show:
        for shape in (USERS, POSTS):
            if unknown := legacy.unknown_columns(shape):
                click.echo(f"not moved, because unknown: {shape.name}.{', '.join(unknown)}")
        if dry_run:
            report = Import(legacy, None, show).run()
        else:
            with LocalPlatform(existing_home(home)) as platform:
                report = Import(legacy, platform, show).run()
    _summary(report, dry_run=dry_run)
    _show_rejected(report)
    if report.rejected:
        path = write_rejected(report, file, datetime.now(UTC), Path.cwd())
    if report.mismatches:
        raise TitaniumError(
            f"what arrived is not what was sent: {report.mismatches[0]}"
            + (f" (and {len(report.mismatches) - 1} more)" if report.mismatches[1:] else ""),
            "Report this with the lines below; FILE is unchanged.",
            tuple(report.mismatches[1:SHOWN]),
        )
    if report.rejected:
        raise RejectedRowsError(len(report.rejected), path)


def _summary(report: Report, *, dry_run: bool) -> None:
    for name, tally in (("users", report.users), ("posts", report.posts)):
        click.echo(f"{name}  {_counts(tally, dry_run=dry_run)}")
    if report.placeholders:
        names = ", ".join(report.placeholders[:SHOWN])
        more = len(report.placeholders) - SHOWN
        click.echo(
            "accounts that nobody can log in to, for authors without a row in users: "
            f"{names}{f' and {more} more' if more > 0 else ''}"
        )
    if report.verified:
        click.echo(f"read back: {report.verified} posts have the same title, text and author")
    if report.kept:
        numbers = ", ".join(str(number) for number in report.kept[:SHOWN])
        click.echo(
            f"kept as they are now: {len(report.kept)} posts that were changed or deleted here "
            f"after an earlier import ({numbers}{', ...' if report.kept[SHOWN:] else ''})"
        )


def _counts(tally: Tally, *, dry_run: bool) -> str:
    if dry_run:
        return f"{tally.read} read, {tally.ready} can be moved, {tally.rejected} cannot"
    return (
        f"{tally.read} read, {tally.created} created, {tally.existing} already there, "
        f"{tally.rejected} rejected"
    )


def _show_rejected(report: Report) -> None:
    if not report.rejected:
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("table", "row", "reason"):
        table.add_column(heading, overflow="fold")
    for item in report.rejected[:SHOWN]:
        table.add_row(item.table, item.label, item.reason)
    console = Console(highlight=False, markup=False)
    console.print(table)
    if len(report.rejected) > SHOWN:
        click.echo(f"... and {len(report.rejected) - SHOWN} more")
