"""The clusters that the platform is deployed to, and which one is in use.

Each target has a kubeconfig of its own, with one context: what is meant for `local` cannot reach
production by a forgotten `kubectl config use-context`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from titanium.cloud.kubectl import MINIMUM
from titanium.errors import StateError, UsageError
from titanium.files import write_atomically

FOLDER_SETTING = "TITANIUM_CLOUD_HOME"
_CURRENT = "current"


@dataclass(frozen=True, slots=True)
class Target:
    """An overlay and the namespace that it deploys into."""

    name: str
    namespace: str
    # Of Kubernetes: what Istio 1.30 and, in the cluster, CloudNativePG 1.30 are supported on.
    minimum: tuple[int, int] = MINIMUM

    def overlay(self, root: Path) -> Path:
        return root / "k8s-manifests" / "overlays" / self.name

    @property
    def kubeconfig(self) -> Path:
        return folder() / f"kubeconfig-{self.name}"


TARGETS = {
    target.name: target
    for target in (
        Target("local", "titanium"),
        Target("solid-cloud", "titanium-prod", (1, 34)),
        Target("aws", "titanium-prod", (1, 32)),
    )
}


def folder() -> Path:
    """Where kubeconfigs are kept: the setting, else the user's folder for configuration."""
    if setting := os.environ.get(FOLDER_SETTING):
        return Path(setting).absolute()
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "titanium"


def private_folder() -> Path:
    """The folder, made for its owner alone. StateError when it cannot be."""
    path = folder()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StateError(
            f"cannot make the folder {path}: {error.strerror}",
            f"Correct its permissions, or name another folder with {FOLDER_SETTING}.",
        ) from None
    return path


def save(target: Target, kubeconfig: str) -> Path:
    """Write the target's kubeconfig, readable by its owner alone, and make it the current one."""
    home = private_folder()
    try:
        write_atomically(target.kubeconfig, kubeconfig, 0o600)
        write_atomically(home / _CURRENT, target.name + "\n", 0o600)
    except OSError as error:
        raise StateError(
            f"cannot write {error.filename or home}: {error.strerror}",
            f"Correct its permissions, or name another folder with {FOLDER_SETTING}.",
        ) from None
    return target.kubeconfig


def prepared(name: str) -> Target:
    """The target of that name; UsageError when no kubeconfig was made for it."""
    target = TARGETS[name]
    if not target.kubeconfig.is_file():
        raise UsageError(
            f"there is no kubeconfig for {name} yet ({target.kubeconfig})",
            f"Run: titanium cloud use {name}",
        )
    return target


def chosen(name: str | None) -> Target:
    """The named target, or the one that `titanium cloud use` chose last."""
    if name is not None:
        return prepared(name)
    try:
        current = (folder() / _CURRENT).read_text("utf-8").strip()
    except OSError:
        current = ""
    if current not in TARGETS:
        raise UsageError(
            "no cluster is chosen", "Choose one: titanium cloud use local (or solid-cloud, aws)"
        )
    return prepared(current)
