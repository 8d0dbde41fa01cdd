"""Takes services back to the revision that ran before, or to a named one."""

from __future__ import annotations

from typing import Any

from titanium.cloud.deploy import wait
from titanium.cloud.kubectl import Kubectl, Say
from titanium.errors import RunningError, UsageError

_TRACKING = "argocd.argoproj.io/tracking-id"
_REVISION = "deployment.kubernetes.io/revision"


def services(kubectl: Kubectl) -> list[dict[str, Any]]:
    """The deployments of the platform's own code: everything that has a revision to go back to."""
    selector = "app.kubernetes.io/part-of=titanium,app.kubernetes.io/component in (app,gateway)"
    found = kubectl.items("get", "deployments", "--selector", selector)
    if not found:
        raise UsageError(
            "no deployment of the platform was found in this namespace",
            "Deploy first: titanium cloud deploy",
        )
    return found


def rollback(
    kubectl: Kubectl,
    name: str | None,
    revision: int | None,
    patience: float,
    say: Say,
    *,
    force: bool = False,
    dry_run: bool = False,
) -> None:
    """Undo the last roll-out of one service, or of all; waits until the old pods serve again.

    Databases are not rolled back: migrations work with the code before them by rule.
    """
    found = {one["metadata"]["name"]: one for one in services(kubectl)}
    if name is not None and name not in found:
        raise UsageError(f"there is no service {name}", f"Known: {', '.join(sorted(found))}")
    if name is None and revision is not None:
        raise UsageError(
            "a revision belongs to one service",
            "Name the service: titanium cloud rollback SERVICE --to REVISION",
        )
    chosen = [found[name]] if name else list(found.values())
    if not force:
        _refuse_when_argocd_would_undo_it(chosen)
    for one in chosen:
        arguments = ["rollout", "undo", f"deployment/{one['metadata']['name']}"]
        if revision is not None:
            arguments.append(f"--to-revision={revision}")
        if dry_run:
            say(f"kubectl {' '.join(arguments)}")
            continue
        say(kubectl.run(*arguments).strip())
    if not dry_run:
        wait(kubectl, chosen, patience, say)


def history(kubectl: Kubectl, name: str) -> list[tuple[int, str]]:
    """(revision, image) of every roll-out that a service can go back to, oldest first."""
    selector = f"app.kubernetes.io/name={name}"
    rows = []
    for one in kubectl.items("get", "replicasets", "--selector", selector):
        containers = one["spec"]["template"]["spec"]["containers"]
        number = one["metadata"].get("annotations", {}).get(_REVISION)
        if number:
            rows.append((int(number), str(containers[0]["image"])))
    return sorted(rows)


def _refuse_when_argocd_would_undo_it(chosen: list[dict[str, Any]]) -> None:
    tracked = [
        one["metadata"]["name"]
        for one in chosen
        if _TRACKING in (one["metadata"].get("annotations") or {})
    ]
    if tracked:
        raise RunningError(
            f"Argo CD keeps {', '.join(tracked)} as Git says, and would undo this",
            "Run the workflow Roll back, or set the tag in Git: scripts/rollback.sh --commit "
            "SERVICE TAG. --force does it here all the same.",
        )
