"""`titanium down`: stop the platform."""

from __future__ import annotations

import click

from titanium.commands._common import Progress, existing_home, home_option, stop_platform
from titanium.errors import NotRunningError

EPILOG = """\b
Examples:
  titanium down
  titanium down --home /tmp/two
"""


@click.command(epilog=EPILOG)
@home_option
def command(home: str | None) -> None:
    """Stop every process, the gateway first; the data stays.

    It also stops what a dead supervisor left running. Stopping nothing is not an error.
    """
    try:
        folder = existing_home(home)
    except NotRunningError:
        click.echo("nothing is running")
        return
    with Progress() as progress:
        stopped = stop_platform(folder, progress)
    click.echo("stopped" if stopped else "nothing is running")
