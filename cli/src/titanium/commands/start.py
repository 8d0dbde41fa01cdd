"""`titanium start`: start what was stopped."""

from __future__ import annotations

import click

from titanium.commands._common import Progress, existing_home, home_option
from titanium.supervise import client
from titanium.supervise.protocol import Request

EPILOG = """\b
Examples:
  titanium start blog          all its instances
  titanium start postgres      one process
The whole platform is started by `titanium up -d`.
"""


@click.command(epilog=EPILOG)
@click.argument("name")
@home_option
def command(name: str, home: str | None) -> None:
    """Start a service or a process that was stopped by `titanium stop`, and wait until it is ready.

    What runs already is left as it is.
    """
    folder = existing_home(home)
    with Progress() as progress:
        result = client.ask(folder, Request("start_service", name), progress)
    result.raise_failure()
    click.echo(f"{name} runs")
