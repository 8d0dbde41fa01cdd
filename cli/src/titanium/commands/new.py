"""`titanium new`: parts that the platform does not have yet."""

from __future__ import annotations

import click

EPILOG = """\b
Examples:
  titanium new service comments
"""


@click.group(epilog=EPILOG)
def command() -> None:
    """Add a part to the platform."""


@command.command(epilog=EPILOG)
@click.argument("name")
def service(name: str) -> None:
    """Create services/NAME: a service that works at once.

    It has a database of its own, a sidecar, public routes under /api/NAME (list, create, read),
    migrations and tests. No existing file changes: the next `make up` starts it.
    """
    from titanium.checkout import checkout
    from titanium.scaffold.service import new_service

    root = checkout()
    folder = new_service(root, name).relative_to(root)
    click.echo(
        f"{folder} is there.\n\nNext:\n"
        f"  make up                            start it (titanium down first, if it runs)\n"
        f"  curl http://127.0.0.1:8080/api/{name}\n"
        f"  .venv/bin/python -m pytest {folder}\n"
        f"  make docs                          add it to the reference\n"
        f"  make lock                          after a change of its dependencies\n"
        f"Then rename what is called Item, and declare in {folder}/service.toml what it calls.\n"
        f"Decide what happens to its data when an account is deleted: see services/user."
    )
