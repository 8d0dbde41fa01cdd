"""Where the sources are: the services, the mesh policy and this command line share a checkout."""

from __future__ import annotations

import os
from pathlib import Path

from titanium.errors import ConfigurationError


def version() -> str:
    """This checkout's version, from the command line's own pyproject.toml."""
    import tomllib

    with (checkout() / "cli/pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])


def checkout() -> Path:
    """Root folder of the checkout: setting TITANIUM_ROOT, or the one that this file is in."""
    setting = os.environ.get("TITANIUM_ROOT")
    root = Path(setting).absolute() if setting else Path(__file__).resolve().parents[3]
    if not (root / "services").is_dir():
        raise ConfigurationError(
            f"{root} is not a checkout of Titanium: it has no folder services",
            "Set TITANIUM_ROOT to the checkout's folder.",
        )
    return root
