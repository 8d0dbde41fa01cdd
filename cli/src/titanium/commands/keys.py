"""`titanium keys`: the keys that sign access tokens."""

from __future__ import annotations

import click

from titanium.commands._common import existing_home, home_option

EPILOG = """\b
Examples:
  titanium keys rotate
  titanium keys discard --yes    after secrets/auth/key_encryption_key was lost
"""


@click.group(epilog=EPILOG)
def command() -> None:
    """Manage the keys that sign access tokens."""


@command.command(epilog=EPILOG)
@home_option
def rotate(home: str | None) -> None:
    """Publish a new key and, seconds later, when every service knows it, sign with it.

    Returns when the new key signs. Tokens signed with the key before stay valid until they
    expire: both keys are published meanwhile. Nobody is logged out.
    """
    from titanium.transfer.platform import admin

    click.echo(admin(existing_home(home), "auth").run("rotate-keys"))


@command.command(epilog=EPILOG)
@home_option
@click.confirmation_option(prompt="Every access token ends at once. Replace the keys?")
def discard(home: str | None) -> None:
    """Replace the keys when they cannot be opened any more; needs no running platform.

    For a lost or damaged key_encryption_key, with which auth does not start. Access tokens end at
    once; refresh tokens end too, unless that key is the same.
    """
    from titanium.transfer.migrations import discard_keys

    discard_keys(existing_home(home), lambda step, what: click.echo(f"  {step:<18} {what}"))
