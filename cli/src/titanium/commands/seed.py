"""`titanium seed`: demo content."""

from __future__ import annotations

import click

from titanium.commands._common import existing_home, home_option

EPILOG = """\b
Examples:
  titanium seed
"""


@click.command(epilog=EPILOG)
@home_option
def command(home: str | None) -> None:
    """Load the demo users and posts into the running platform.

    What is there already stays as it is: a second run changes nothing. All demo users have one
    password, made for this state folder; the command says in which file it is.
    """
    from titanium.demo.seed import seed_platform

    seeded = seed_platform(existing_home(home))
    click.echo(seeded.sentence)
    click.echo(f"log in as {', '.join(seeded.usernames)}")
    click.echo(f"password of all of them: {seeded.password_file}")
