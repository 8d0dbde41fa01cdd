"""`titanium cloud test` and `titanium cloud demo`: what is tried on a running cluster."""

from __future__ import annotations

import click

from titanium.commands._cloud_use import cluster, target_option

EPILOG = """\b
Examples:
  titanium cloud test mtls         a pod outside of the mesh must get no answer
  titanium cloud test policies     undeclared pairs of services must get none
  titanium cloud test failover     delete the database's leader while posts are written
"""
DEMO_EPILOG = """\b
Examples:
  titanium cloud demo --dry-run    every step in words
  titanium cloud demo              Linkerd, Prometheus, Grafana and Bookinfo
"""
_dry_run = click.option("--dry-run", is_flag=True, help="Say what would be done; do nothing.")


@click.group("test", epilog=EPILOG)
def tests() -> None:
    """Try what the cluster promises. For clusters that may be disturbed."""


@tests.command(epilog=EPILOG)
@target_option
@_dry_run
def mtls(target: str | None, dry_run: bool) -> None:
    """Plain HTTP from a pod without a mesh identity: every service must refuse it."""
    from titanium.catalog import load_catalog
    from titanium.checkout import checkout
    from titanium.cloud import probes

    catalog = load_catalog(checkout())
    if dry_run:
        click.echo(f"make a pod in the namespace {probes.OUTSIDE}, ask every service, delete it")
        return
    kubectl = cluster(target)[1]
    image = probes.image_of(kubectl, next(iter(catalog)).name)
    _require(probes.mtls(kubectl, catalog, image, click.echo))


@tests.command(epilog=EPILOG)
@target_option
@_dry_run
def policies(target: str | None, dry_run: bool) -> None:
    """Every pair of services that no service.toml declares must be refused."""
    from titanium.catalog import load_catalog
    from titanium.checkout import checkout
    from titanium.cloud import probes

    catalog = load_catalog(checkout())
    if dry_run:
        for caller, service in probes.undeclared(catalog):
            click.echo(f"ask {service} from a pod of {caller}: must be refused")
        return
    _require(probes.policies(cluster(target)[1], catalog, click.echo))


@tests.command(epilog=EPILOG)
@click.argument("url", required=False)
@click.option(
    "--bound",
    type=click.FloatRange(1, 600),
    default=35.0,
    show_default=True,
    help="Seconds that writing may stand still.",
)
@target_option
@_dry_run
def failover(url: str | None, bound: float, target: str | None, dry_run: bool) -> None:
    """Delete the database's leader while posts are written through URL.

    Writing must go on within --bound seconds, and no confirmed post may be lost.
    """
    from titanium.cloud import check
    from titanium.cloud import failover as ending

    if dry_run:
        click.echo(f"write posts, delete the leader's pod, write on; at most {bound:g} s without")
        click.echo("read every confirmed post back; delete the account and its posts")
        return
    kubectl = cluster(target)[1]
    site = check.Site(url or check.default_url(kubectl))
    outcome = ending.failover(kubectl, site, max(bound * 2, 60), click.echo)
    ending.require(outcome, bound)
    click.echo("writing went on in time, and nothing was lost")


@click.command(epilog=DEMO_EPILOG)
@click.option("--context", help="Context of your kubeconfig; default the current one.")
@click.option(
    "--address", metavar="HOST", help="Node at which to check from outside; default the first."
)
@click.option(
    "--timeout",
    "patience",
    type=click.FloatRange(10, 3600),
    default=600.0,
    show_default=True,
    help="Seconds that each step may take.",
)
@_dry_run
def demo(context: str | None, address: str | None, patience: float, dry_run: bool) -> None:
    """Bring up the mesh demonstration: Linkerd, Prometheus, Grafana and Bookinfo.

    Can be run again: what is there is brought to what is wanted. Needs kubectl and helm, and
    rights over the whole cluster.
    """
    from titanium.checkout import checkout
    from titanium.cloud.demo import Demo

    run = Demo(checkout(), context, patience, click.echo)
    if dry_run:
        for line in run.plan():
            click.echo(line)
        return
    run.up(address)


def _require(answered: int) -> None:
    from titanium.errors import UnhealthyError

    if answered:
        raise UnhealthyError(
            f"{answered} {'request was' if answered == 1 else 'requests were'} not refused",
            "Is the mesh injected (kubectl get pods: two containers), are its policies applied?",
        )
    click.echo("everything was refused that must be")
