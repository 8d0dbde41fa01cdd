"""`titanium keys`: the keys that sign access tokens."""

from __future__ import annotations

import click

from titanium.commands._common import existing_home, home_option

EPILOG = """\b
Examples:
  titanium keys rotate
"""


@click.group(epilog=EPILOG)
def command() -> None:
    """Manage the keys that sign access tokens."""


@command.command(epilog=EPILOG)
@home_option
def rotate(home: str | None) -> None:
    """Sign with a new key from now on.

    Tokens signed with the key before stay valid until they expire: both keys are published
    meanwhile. Nobody is logged out.
    """
    from titanium.transfer.platform import admin

    click.echo(admin(existing_home(home), "auth").run("rotate-keys"))
