"""`titanium new`: parts that the platform does not have yet."""

from __future__ import annotations

import os
from pathlib import Path

import click

from titanium.errors import TitaniumError

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
    migrations and tests. The next `make up` starts it. What is generated from the services
    (reference, objectives, the cluster's gateway) gains its routes. For Kubernetes it has a
    Dockerfile and k8s-manifests/base/NAME, and every list there that names all services gains it.
    """
    from titanium.checkout import checkout
    from titanium.scaffold.service import new_service

    root = checkout()
    folder = new_service(root, name).relative_to(root)
    _add_to_reference(root, folder)
    click.echo(
        f"{folder} is there.\n\nNext:\n"
        f"  make up                            start it (titanium down first, if it runs)\n"
        f"  curl http://127.0.0.1:8080/api/{name}\n"
        f"  make check                         its tests too; sets up the tools of development\n"
        f"  make docs                          after a change of its routes\n"
        f"  make lock                          pin its dependencies, for its image\n"
        f"  scripts/make-local-secrets.sh      its passwords in a local cluster\n"
        f"Then rename what is called Item, and declare in {folder}/service.toml what it calls.\n"
        f"Decide what happens to its data when an account is deleted: see services/user."
    )


def _add_to_reference(root: Path, folder: Path) -> None:
    """The gateway publishes the reference: without this it would not know the new routes."""
    from titanium.commands.docs import find_stale, generate, write

    # The virtual environment learns of the new package at the next `make`.
    known = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(root / folder / "src"), known)))
    try:
        files = generate(root)
        write(files, find_stale(files))
    except (TitaniumError, OSError) as error:
        click.echo(f"docs/reference stays as it was: {error}\nnext:  make docs\n", err=True)
