"""`titanium reset`: delete a platform's state."""

from __future__ import annotations

import click

from titanium import state
from titanium.commands._common import Progress, existing_home, home_option, stop_platform
from titanium.errors import NotRunningError

EPILOG = """\b
Examples:
  titanium reset
  titanium reset --yes --home /tmp/two
"""


@click.command(epilog=EPILOG)
@home_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def command(home: str | None, yes: bool) -> None:
    """Stop the platform and delete its state folder: data, logs, certificates and secrets."""
    try:
        folder = existing_home(home)
    except NotRunningError:
        click.echo("there is nothing to delete")
        return
    if not yes:
        click.confirm(f"Delete all data in {folder.root}?", abort=True)
    with Progress() as progress:
        stop_platform(folder, progress)
    state.delete(folder)
    click.echo(f"deleted {folder.root}")
