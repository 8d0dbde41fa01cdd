"""Puts a backup's dumps into databases that hold nothing yet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from titanium.catalog import Catalog
from titanium.cloud import backup as saved
from titanium.cloud.kubectl import Kubectl, KubectlError, Say
from titanium.errors import RunningError, TitaniumError, UsageError

_ARGOCD = "argocd-controller"
# Writes a query per table and runs it: rows count, whatever the statistics say, and revisions of
# the schema are no data.
_FULL = r"""
SELECT format('SELECT %L || count(*) || %L FROM public.%I HAVING count(*) > 0',
              relname || ' (', ' rows)', relname)
  FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
   AND relname <> 'alembic_version' ORDER BY relname
\gexec
"""


def restore(
    kubectl: Kubectl,
    catalog: Catalog,
    folder: Path,
    only: str | None,
    say: Say,
    *,
    force: bool = False,
    dry_run: bool = False,
) -> None:
    """Restore every dump of `folder`, or the one of database `only`.

    RunningError when a database holds rows and `force` is not set: nothing is changed then.
    The services are stopped meanwhile and started again at the end.
    """
    dumps = [dump for dump in saved.load(folder) if only in (None, dump.database)]
    if not dumps:
        raise UsageError(f"the backup has no database {only}", f"See {folder / saved.MANIFEST}.")
    owners = saved.databases(catalog)
    pod = saved.primary(kubectl)
    full = {dump.database: rows for dump in dumps if (rows := _rows(kubectl, pod, dump.database))}
    if full and not force:
        raise RunningError(
            f"not empty: {', '.join(full)}",
            "Restore into empty databases, or replace what is there with --force.",
            tuple(f"{database}: {rows}" for database, rows in full.items()),
        )
    names = [owners.get(dump.database, dump.database) for dump in dumps]
    found = {name: _deployment(kubectl, name) for name in names}
    _refuse_when_argocd_would_start_them(found)
    if dry_run:
        say(f"stop {', '.join(names)}; restore {', '.join(one.database for one in dumps)} in {pod}")
        say("start them again")
        return
    with _stopped(kubectl, found, say):
        for dump in dumps:
            _put(kubectl, pod, folder / dump.file, dump.database)
            say(f"  {dump.database:<10} restored")


def _rows(kubectl: Kubectl, pod: str, database: str) -> str:
    """Which tables hold rows, in words; "" when none does."""
    psql = ("psql", "--no-psqlrc", "--tuples-only", "--no-align", "--quiet")
    command = saved.inside(pod, *psql, "--set=ON_ERROR_STOP=1", f"--dbname={database}", stdin=True)
    return ", ".join(kubectl.run(*command, stdin=_FULL).split("\n")).strip(" ,")


def _put(kubectl: Kubectl, pod: str, file: Path, database: str) -> None:
    # In one transaction and as the owner: all of it or nothing, and the service's rights follow
    # from the owner's default privileges.
    command = ["pg_restore", "--single-transaction", "--exit-on-error", "--clean", "--if-exists",
               "--no-owner", f"--role={database}_owner", f"--dbname={database}"]  # fmt: skip
    with file.open("rb") as dump:
        try:
            kubectl.copy(*saved.inside(pod, *command, stdin=True), stdin=dump)
        except KubectlError as error:
            raise TitaniumError(
                f"{database} was not restored, and is as it was: {error.message}",
                "The services are started again. Correct the cause and run it once more.",
                error.details,
            ) from None


def _deployment(kubectl: Kubectl, name: str) -> dict[str, Any]:
    return kubectl.json("get", f"deployment/{name}", "--show-managed-fields")


def _refuse_when_argocd_would_start_them(found: dict[str, dict[str, Any]]) -> None:
    """Argo CD leaves alone what Git does not say, and with component hpa it says no replicas.

    Without it, self-healing would start the services in the middle of a restore.
    """
    kept = [
        name
        for name, one in found.items()
        if any(
            field.get("manager") == _ARGOCD and "f:replicas" in field["fieldsV1"].get("f:spec", {})
            for field in one["metadata"].get("managedFields", [])
        )
    ]
    if kept:
        raise RunningError(
            f"Argo CD keeps the replicas of {', '.join(kept)} as Git says, and would start them",
            "Pause it (the app of apps does not undo this), restore, and let it go on: "
            "kubectl annotate application titanium --namespace argocd "
            "argocd.argoproj.io/skip-reconcile=true; in the end ...skip-reconcile-",
        )


@contextmanager
def _stopped(kubectl: Kubectl, found: dict[str, dict[str, Any]], say: Say) -> Iterator[None]:
    """The services without a pod; each gets its replicas back at the end, whatever happens."""
    names = list(found)
    replicas = {name: int(one["spec"].get("replicas", 1)) for name, one in found.items()}
    try:
        for name in names:
            kubectl.run("scale", f"deployment/{name}", "--replicas=0")
        for name in names:
            kubectl.run(
                "wait", "--for=delete", "pod", "--selector", f"app.kubernetes.io/name={name}",
                "--timeout=120s", timeout=135,
            )  # fmt: skip
        say(f"  stopped    {', '.join(names)}")
        yield
    finally:
        for name, count in replicas.items():
            kubectl.run("scale", f"deployment/{name}", f"--replicas={max(count, 1)}")
        say(f"  started    {', '.join(names)}")
