"""`titanium cloud use`, and the option by which other commands name a cluster."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from titanium.cloud.kubectl import Kubectl
    from titanium.cloud.targets import Target

EPILOG = """\b
Examples:
  titanium cloud use local                      the current context, if it is a local cluster
  titanium cloud use local --context k3s        another one
  titanium cloud use solid-cloud                address, token and CA out of .env.k8s
  titanium cloud use aws --context NAME         after: aws eks update-kubeconfig
"""
NAMES = ("local", "solid-cloud", "aws")

target_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--target", type=click.Choice(NAMES), help="Which cluster; default the one in use."
)


@click.command(epilog=EPILOG)
@click.argument("name", metavar="TARGET", type=click.Choice(NAMES))
@click.option("--context", help="Context of your kubeconfig to take (local, aws).")
@click.option(
    "--env",
    "env_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File with address, token and CA (solid-cloud); default .env.k8s in the checkout.",
)
@click.option("--dry-run", is_flag=True, help="Check everything; write nothing.")
def use(name: str, context: str | None, env_file: Path | None, dry_run: bool) -> None:
    """Choose the cluster that the other commands work with.

    A kubeconfig of its own is written for it, readable by you alone; yours stays as it is. The
    token of solid-cloud is never shown.
    """
    from titanium.checkout import checkout
    from titanium.cloud import environment, kubeconfig
    from titanium.cloud.kubectl import Kubectl
    from titanium.cloud.targets import TARGETS, save
    from titanium.errors import UsageError

    target = TARGETS[name]
    if name == "solid-cloud":
        if context:
            raise UsageError("solid-cloud is reached by token", f"Leave out --context {context}.")
        access = environment.load(env_file or checkout() / environment.FILE)
        server, text = access.server, kubeconfig.with_token(target, access)
    else:
        text = kubeconfig.from_context(target, Kubectl(None), context)
        server = kubeconfig.server_of(text)
    if dry_run:
        click.echo(f"{name}: {server}; would write {target.kubeconfig}")
        return
    path = save(target, text)
    click.echo(f"{name}: {server}, namespace {target.namespace}")
    click.echo(f"for kubectl in this shell: export KUBECONFIG={path}")


def cluster(name: str | None) -> tuple[Target, Kubectl]:
    """The named target, or the one in use, and kubectl for its namespace."""
    from titanium.cloud.kubectl import Kubectl
    from titanium.cloud.targets import chosen

    target = chosen(name)
    return target, Kubectl(target.kubeconfig, target.namespace)
