"""`titanium cloud`: the platform in a cluster."""

from __future__ import annotations

from pathlib import Path

import click

EPILOG = """\b
Examples:
  titanium cloud secrets          the secrets of overlays/local, made once
"""
_LOCAL = Path("k8s-manifests/overlays/local/secrets")


@click.group(epilog=EPILOG)
def command() -> None:
    """Prepare and operate the platform in a cluster."""


@command.command(epilog=EPILOG)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help=f"Where to write them; default {_LOCAL} in the checkout.",
)
def secrets(folder: Path | None) -> None:
    """Generate the secrets of a small cluster as files; existing ones are kept.

    Kustomize makes Secrets of them. Git ignores them: keep a copy with the database's backups.
    """
    from titanium.catalog import load_catalog
    from titanium.checkout import checkout
    from titanium.cloud.secrets import write_secrets

    root = checkout()
    target = folder or root / _LOCAL
    files = write_secrets(load_catalog(root), target)
    click.echo(f"{len(files)} files in {target}")
