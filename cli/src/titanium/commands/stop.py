"""`titanium stop`: stop one service or process."""

from __future__ import annotations

import click

from titanium.commands._common import Progress, existing_home, home_option
from titanium.supervise import client
from titanium.supervise.protocol import Request

EPILOG = """\b
Examples:
  titanium stop blog           all its instances; its callers get 503
  titanium stop postgres       one process
  titanium stop prometheus     the platform serves on
The whole platform is stopped by `titanium down`.
"""


@click.command(epilog=EPILOG)
@click.argument("name")
@home_option
def command(name: str, home: str | None) -> None:
    """Stop a service (all its instances) or a process; it stays so until `titanium start NAME`.

    The sidecars of a service run on, so that its callers are answered. The next `titanium up`
    starts it, too.
    """
    folder = existing_home(home)
    with Progress() as progress:
        result = client.ask(folder, Request("stop_service", name), progress)
    result.raise_failure()
    click.echo(f"{name} is stopped; start it with: titanium start {name}")
