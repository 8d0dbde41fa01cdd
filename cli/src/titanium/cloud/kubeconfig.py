"""Kubeconfigs with one cluster, one user, one context."""

from __future__ import annotations

import base64
import ipaddress
from typing import Any
from urllib.parse import urlsplit

import yaml

from titanium.cloud.environment import Access
from titanium.cloud.kubectl import Kubectl
from titanium.cloud.targets import Target
from titanium.errors import UsageError

# What Minikube, kind, k3d, Docker Desktop and others call their contexts.
_LOCAL_NAMES = ("minikube", "docker-desktop", "rancher-desktop", "colima", "orbstack")
_LOCAL_PREFIXES = ("kind-", "k3d-", "minikube-")


def with_token(target: Target, access: Access) -> str:
    """The kubeconfig of a cluster reached by token. Holds the token: for private files only."""
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": target.name,
                    "cluster": {
                        "server": access.server,
                        "certificate-authority-data": base64.b64encode(access.ca).decode(),
                    },
                }
            ],
            "users": [{"name": target.name, "user": {"token": access.token}}],
            "contexts": [
                {
                    "name": target.name,
                    "context": {
                        "cluster": target.name,
                        "user": target.name,
                        "namespace": target.namespace,
                    },
                }
            ],
            "current-context": target.name,
        },
        sort_keys=False,
    )


def from_context(target: Target, kubectl: Kubectl, context: str | None) -> str:
    """A copy of one context of the user's own kubeconfig, with the target's namespace.

    Without `context` the current one, if it is plain that it is the target's kind of cluster.
    UsageError otherwise, and when there is no such context.
    """
    chosen = context or kubectl.run("config", "current-context").strip()
    text = kubectl.run("config", "view", "--raw", "--minify", "--flatten", "--context", chosen)
    config: dict[str, Any] = yaml.safe_load(text) or {}
    try:
        server = str(config["clusters"][0]["cluster"]["server"])
        found = config["contexts"][0]
    except (LookupError, TypeError):
        raise UsageError(
            f"your kubeconfig has no context {chosen}",
            "List them with: kubectl config get-contexts",
        ) from None
    if context is None and not _plainly(target, chosen, server):
        raise UsageError(
            f"context {chosen} ({urlsplit(server).hostname}) does not look like {target.name}",
            f"If it is, say so: titanium cloud use {target.name} --context {chosen}",
        )
    found["context"]["namespace"] = target.namespace
    config["current-context"] = found["name"]
    return yaml.safe_dump(config, sort_keys=False)


def server_of(kubeconfig: str) -> str:
    """The address of the API server in a kubeconfig of ours."""
    return str(yaml.safe_load(kubeconfig)["clusters"][0]["cluster"]["server"])


def _plainly(target: Target, context: str, server: str) -> bool:
    host = urlsplit(server).hostname or ""
    if target.name == "aws":
        return host.endswith(".eks.amazonaws.com")
    if context in _LOCAL_NAMES or context.startswith(_LOCAL_PREFIXES) or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
