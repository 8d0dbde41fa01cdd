"""`titanium user`: what an operator may do to an account."""

from __future__ import annotations

import click

from titanium.commands._common import existing_home, home_option

EPILOG = """\b
Examples:
  titanium user disable mallory
  titanium user enable mallory
"""
HINT = "Check the name; `titanium status` shows whether the database runs."


@click.group(epilog=EPILOG)
def command() -> None:
    """Disable and enable accounts."""


@command.command(epilog=EPILOG)
@click.argument("name")
@home_option
def disable(name: str, home: str | None) -> None:
    """End every session of account NAME within a second and refuse its logins.

    Posts and profile stay as they are.
    """
    _run("disable", name, home)


@command.command(epilog=EPILOG)
@click.argument("name")
@home_option
def enable(name: str, home: str | None) -> None:
    """Let account NAME log in again."""
    _run("enable", name, home)


def _run(what: str, name: str, home: str | None) -> None:
    from titanium.transfer.platform import admin

    click.echo(admin(existing_home(home), "user").run(what, "--", name, hint=HINT))
