"""A base backup by CloudNativePG, taken now: what its schedule does every night."""

from __future__ import annotations

import json
import time
from datetime import datetime

from titanium.cloud.kubectl import Kubectl, KubectlError, Say
from titanium.errors import TitaniumError, UnhealthyError

CLUSTER = "postgres"
PLUGIN = "barman-cloud.cloudnative-pg.io"
_RESOURCE = "backups.postgresql.cnpg.io"
_EVERY = 5.0


def base_backup(kubectl: Kubectl, now: datetime, patience: float, say: Say) -> str:
    """Make a Backup object and wait for it; its name.

    With the archived WAL, any moment from its end on can be restored (components/cnpg/README.md).
    TitaniumError when the cluster has no CloudNativePG, or when the backup fails; UnhealthyError
    when it has not ended within `patience` seconds: it goes on by itself.
    """
    name = f"{CLUSTER}-{now.strftime('%Y%m%d-%H%M%S')}"
    made = {
        "apiVersion": "postgresql.cnpg.io/v1",
        "kind": "Backup",
        "metadata": {"name": name},
        "spec": {
            "cluster": {"name": CLUSTER},
            "method": "plugin",
            "pluginConfiguration": {"name": PLUGIN},
        },
    }
    try:
        # Not apply: the name is new, and no right to change backups is needed.
        kubectl.run("create", "--filename=-", stdin=json.dumps(made))
    except KubectlError as error:
        if "no matches for kind" in error.said:
            raise TitaniumError(
                "this cluster has no CloudNativePG",
                "Dump the databases: titanium cloud backup. Patroni is saved where it runs.",
            ) from None
        raise
    say(f"  {name} has begun")
    deadline = time.monotonic() + patience
    while True:
        status = kubectl.json("get", f"{_RESOURCE}/{name}").get("status", {})
        phase = str(status.get("phase", "pending"))
        if phase == "completed":
            return name
        if phase == "failed":
            raise TitaniumError(
                f"{name} failed: {status.get('error') or 'it does not say why'}",
                "Does the archive take WAL? kubectl cnpg status postgres; its bucket and its keys: "
                "ObjectStore and ExternalSecret postgres-backup.",
            )
        if time.monotonic() > deadline:
            raise UnhealthyError(
                f"{name} is still {phase} after {patience:g} s",
                f"It goes on by itself: kubectl get {_RESOURCE}/{name}",
            )
        time.sleep(_EVERY)
