"""`titanium cloud`: the platform in a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from titanium.commands import _cloud_tests, _cloud_use

if TYPE_CHECKING:
    from titanium.cloud.kubectl import Kubectl
    from titanium.cloud.targets import Target

EPILOG = """\b
Examples:
  titanium cloud secrets               the secrets of overlays/local, made once
  titanium cloud use local             work with the cluster on this machine
  titanium cloud deploy local          apply the overlay, wait until everything is ready
  titanium cloud check                 ask the public contract, from outside
  titanium cloud rollback blog         back to the revision before
  titanium cloud backup --to backups   dump every database
  titanium cloud backup --base         a base backup by CloudNativePG, now
"""
PATIENCE = 300.0
_LOCAL = Path("k8s-manifests/overlays/local/secrets")
_BACKUPS = Path("backups")

target_option = _cloud_use.target_option
dry_run_option = click.option("--dry-run", is_flag=True, help="Say what would be done; do nothing.")
patience_option = click.option(
    "--timeout",
    "patience",
    type=click.FloatRange(1, 3600),
    default=PATIENCE,
    show_default=True,
    help="Seconds to wait until everything is ready.",
)


@click.group(epilog=EPILOG)
def command() -> None:
    """Prepare and operate the platform in a cluster."""


command.add_command(_cloud_use.use)
command.add_command(_cloud_tests.tests)
command.add_command(_cloud_tests.demo)


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


@command.command(epilog=EPILOG)
@click.argument("overlay", type=click.Choice(("local", "solid-cloud", "aws")))
@patience_option
@dry_run_option
def deploy(overlay: str, patience: float, dry_run: bool) -> None:
    """Apply an overlay to its cluster and wait until everything in it is ready.

    When something does not get ready, its pod is named with its last log lines and events. A dry
    run needs no cluster: it lists the objects and what would be waited for.
    """
    from titanium.checkout import checkout
    from titanium.cloud import deploy as deploying
    from titanium.cloud.kubectl import Kubectl
    from titanium.cloud.targets import TARGETS, prepared

    root = checkout()
    if dry_run:
        for line in deploying.steps(TARGETS[overlay], root, Kubectl(None)):
            click.echo(line)
        return
    target = prepared(overlay)
    kubectl = Kubectl(target.kubeconfig, target.namespace)
    deploying.deploy(target, root, kubectl, patience, click.echo)
    click.echo(f"{overlay} is deployed")


@command.command(epilog=EPILOG)
@click.argument("url", required=False)
@click.option("--read-only", is_flag=True, help="Make no account and write no post.")
@target_option
def check(url: str | None, read_only: bool, target: str | None) -> None:
    """Ask the platform at URL from outside, as a reader and an author would.

    Without URL, the gateway's node port of the cluster in use. The account and the post that it
    makes are deleted at its end.
    """
    from titanium.cloud import check as checking
    from titanium.errors import UnhealthyError

    address = url or checking.default_url(cluster(target)[1])
    click.echo(address)
    failures = checking.check(checking.Site(address), click.echo, read_only=read_only)
    if failures:
        raise UnhealthyError(
            f"{failures} {'check' if failures == 1 else 'checks'} failed",
            "See the pods and their logs: kubectl get pods, kubectl logs deployment/gateway",
        )


@command.command(epilog=EPILOG)
@click.argument("service", required=False)
@click.option("--to", "revision", type=click.IntRange(1), help="Revision; default the one before.")
@click.option("--history", is_flag=True, help="Show the revisions that SERVICE can go back to.")
@click.option("--force", is_flag=True, help="Also where Argo CD will undo it.")
@target_option
@patience_option
@dry_run_option
def rollback(
    service: str | None, revision: int | None, history: bool, target: str | None, **options: Any
) -> None:
    """Take SERVICE, or every service, back to the revision that ran before.

    Where Argo CD applies what Git says, Git is rolled back instead: see
    docs/how-to/deliver.md.
    """
    from titanium.cloud import rollback as rolling
    from titanium.errors import UsageError

    kubectl = cluster(target)[1]
    if not history:
        rolling.rollback(kubectl, service, revision, say=click.echo, **options)
        return
    if service is None:
        raise UsageError("--history needs a service", "titanium cloud rollback blog --history")
    for number, image in rolling.history(kubectl, service):
        click.echo(f"{number:>4}  {image}")


@command.command(epilog=EPILOG)
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=_BACKUPS,
    show_default=True,
    help="Folder in which a folder of this moment is made.",
)
@click.option(
    "--base", is_flag=True, help="A base backup by CloudNativePG into its bucket instead."
)
@target_option
@patience_option
@dry_run_option
def backup(folder: Path, base: bool, target: str | None, patience: float, dry_run: bool) -> None:
    """Dump every database, in the database's own pod, into files with checksums.

    The files hold every account's password hash: they are readable by you alone, and belong on
    an encrypted disk. Keep the cluster's secrets with them.

    With --base nothing is written here: the whole cluster goes where its WAL is archived, from
    where any moment since can be restored.
    """
    from datetime import UTC, datetime

    from titanium.catalog import load_catalog
    from titanium.checkout import checkout
    from titanium.cloud import backup as saving

    kubectl = cluster(target)[1]
    if base:
        from titanium.cloud.base_backup import CLUSTER, base_backup

        if dry_run:
            click.echo(f"create a Backup of cluster {CLUSTER}, wait until it is completed")
            return
        click.echo(f"saved as {base_backup(kubectl, datetime.now(UTC), patience, click.echo)}")
        return
    catalog = load_catalog(checkout())
    if dry_run:
        pod = saving.primary(kubectl)
        for database in sorted(saving.databases(catalog)):
            click.echo(f"pg_dump {database} in {pod} -> {folder}/titanium-.../{database}.dump")
        return
    made = saving.backup(kubectl, catalog, folder, datetime.now(UTC), click.echo)
    click.echo(f"saved in {made}")


@command.command(epilog=EPILOG)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--database", help="Only this one.")
@click.option("--force", is_flag=True, help="Replace what the databases hold.")
@target_option
@dry_run_option
def restore(
    folder: Path, database: str | None, force: bool, target: str | None, dry_run: bool
) -> None:
    """Restore a backup from FOLDER into empty databases.

    Refused when a database holds rows, unless --force is given: then they are replaced. Services
    are stopped meanwhile. Each database is restored whole or not at all.
    """
    from titanium.catalog import load_catalog
    from titanium.checkout import checkout
    from titanium.cloud.restore import restore as restoring

    restoring(
        cluster(target)[1],
        load_catalog(checkout()),
        folder,
        database,
        click.echo,
        force=force,
        dry_run=dry_run,
    )


def cluster(name: str | None) -> tuple[Target, Kubectl]:
    """The named target, or the one in use, and kubectl for its namespace."""
    return _cloud_use.cluster(name)
