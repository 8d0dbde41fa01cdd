"""`titanium restart`: restart a service replica by replica."""

from __future__ import annotations

import click

from titanium.commands._common import Progress, existing_home, home_option
from titanium.supervise import client
from titanium.supervise.protocol import Request

EPILOG = """\b
Examples:
  titanium restart blog        new code, no failed request
  titanium restart gateway     a short gap: it has no second instance
"""


@click.command(epilog=EPILOG)
@click.argument("service")
@home_option
def command(service: str, home: str | None) -> None:
    """Restart a service, after its migrations, without failing a request.

    Each replica is first taken out of every proxy's list and drained; a lone replica is
    stood in for by a second one meanwhile. gateway, postgres and redis have no stand-in:
    calls fail for the second or two that they are away (reads from the cache go on). Also
    console, exporter, prometheus and alertmanager, which nobody's calls need.
    """
    folder = existing_home(home)
    with Progress() as progress:
        result = client.ask(folder, Request("restart", service), progress)
    result.raise_failure()
    click.echo(f"{service} restarted")
