"""Finds Terraform and the place where its providers lie, and runs it without questions.

Providers come from, in this order: the CLI configuration that is there (TF_CLI_CONFIG_FILE,
~/.terraformrc), the filesystem mirror that TITANIUM_TERRAFORM_MIRROR names, a mirror in one of the
usual folders, the registry.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from titanium.errors import ConfigurationError, TitaniumError, ToolMissingError

MIRROR_SETTING = "TITANIUM_TERRAFORM_MIRROR"
REGISTRY = "registry.terraform.io"
USUAL_ROOTS = (
    "/opt",
    "/usr/local/share",
    "/usr/share/terraform",
    "~/.terraform.d/plugins",
    "~/.local/share/terraform",
    "/var/lib/terraform",
)
# How far below a root the folder named after the registry may be.
DEPTH = 4


def find_terraform() -> Path:
    """Terraform: setting TITANIUM_TERRAFORM, or PATH; ToolMissingError."""
    chosen = os.environ.get("TITANIUM_TERRAFORM")
    if chosen and not os.access(chosen, os.X_OK):
        raise ToolMissingError(
            f"Terraform: {chosen} (from TITANIUM_TERRAFORM) is not a program",
            "Correct TITANIUM_TERRAFORM, or unset it to use the one on PATH.",
        )
    found = chosen or shutil.which("terraform")
    if not found:
        raise ToolMissingError(
            "Terraform was not found: neither TITANIUM_TERRAFORM nor PATH has it",
            "Install Terraform 1.11 or newer (https://developer.hashicorp.com/terraform/install).",
        )
    return Path(found).absolute()


def own_configuration(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The CLI configuration that Terraform reads by itself; None when there is none.

    TF_CLI_CONFIG_FILE may name a file that is not there: Terraform warns and goes on without.
    """
    named = environment.get("TF_CLI_CONFIG_FILE")
    path = Path(named) if named else Path.home() / ".terraformrc"
    return path if path.is_file() else None


def find_mirror(provider: str = "hashicorp/aws", roots: Sequence[str] = USUAL_ROOTS) -> Path | None:
    """The folder of a filesystem mirror that holds `provider`; None when no usual place has one.

    ConfigurationError when TITANIUM_TERRAFORM_MIRROR names a folder without the provider.
    """
    chosen = os.environ.get(MIRROR_SETTING)
    if chosen:
        if not (Path(chosen) / REGISTRY / provider).is_dir():
            raise ConfigurationError(
                f"{chosen} (from {MIRROR_SETTING}) has no {REGISTRY}/{provider}",
                f"Name the folder above {REGISTRY} (`terraform providers mirror` makes one).",
            )
        return Path(chosen).absolute()
    for root in roots:
        for folder in _folders(Path(root).expanduser(), DEPTH):
            if (folder / REGISTRY / provider).is_dir():
                return folder
    return None


def _folders(root: Path, depth: int) -> Iterator[Path]:
    """`root` and the folders below it that can be read, nearest first."""
    level = [root] if root.is_dir() else []
    for _ in range(depth):
        yield from level
        level = [child for folder in level for child in _children(folder)]


def _children(folder: Path) -> list[Path]:
    try:
        children = sorted(folder.iterdir())
        return [child for child in children if child.is_dir() and not child.is_symlink()]
    except OSError:
        return []


def cli_config(folder: Path) -> Path | None:
    """The CLI configuration to run Terraform with: what is there, or one for a mirror that was
    found, written into `folder`; None leaves providers to the registry."""
    if existing := own_configuration():
        return existing
    mirror = find_mirror()
    if mirror is None:
        return None
    path = folder / "terraform.rc"
    path.write_text(
        f"""provider_installation {{
  filesystem_mirror {{
    path    = "{mirror}"
    include = ["{REGISTRY}/*/*"]
  }}
}}
""",
        encoding="utf-8",
    )
    return path


def data_folder(configuration: Path) -> Path:
    """Where Terraform keeps what `init` found for a configuration; it need not be there."""
    return configuration.absolute() / (os.environ.get("TF_DATA_DIR") or ".terraform")


@dataclass(frozen=True)
class Terraform:
    """Runs Terraform in one configuration folder; its own files go to `data`."""

    program: Path
    configuration: Path
    data: Path
    config_file: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, ok: tuple[int, ...] = (0,), timeout: float = 1800) -> str:
        """Standard output of `terraform ARGUMENTS`; TitaniumError with its last lines otherwise."""
        done = self.attempt(*arguments, timeout=timeout)
        if done.returncode not in ok:
            said = (done.stdout + done.stderr).splitlines()
            lines = [line for line in said if line.strip(" │╷╵")]
            raise TitaniumError(
                f"terraform {arguments[0]} failed in {self.configuration}",
                "Correct what Terraform names; `terraform validate` checks without an account.",
                tuple(lines[-20:]),
            )
        return done.stdout

    def attempt(self, *arguments: str, timeout: float = 1800) -> subprocess.CompletedProcess[str]:
        """The finished process, whatever its exit status."""
        return subprocess.run(
            [str(self.program), *arguments],
            cwd=self.configuration,
            env=self.variables(),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def variables(self) -> dict[str, str]:
        """The environment that Terraform gets: no questions, no colours, no call home."""
        own = {
            "TF_DATA_DIR": str(self.data),
            "TF_IN_AUTOMATION": "1",
            "TF_INPUT": "0",
            "TF_CLI_ARGS": "-no-color",
            "CHECKPOINT_DISABLE": "1",
        }
        inherited = {key: value for key, value in os.environ.items() if key != "TF_CLI_CONFIG_FILE"}
        chosen = {"TF_CLI_CONFIG_FILE": str(self.config_file)} if self.config_file else {}
        return inherited | own | chosen | dict(self.environment)


def terraform_in(configuration: Path, data: Path) -> Terraform:
    """Terraform for the folder `configuration`; `data` is made and takes all that it writes."""
    data.mkdir(parents=True, exist_ok=True)
    return Terraform(find_terraform(), configuration, data, cli_config(data))
