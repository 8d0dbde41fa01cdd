"""Makes the JSON of a plan by running Terraform; nothing in the folder is changed by it."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from titanium.errors import TitaniumError, UsageError
from titanium.terraform import MIRROR_SETTING, Terraform, data_folder, terraform_in

_LOCK = ".terraform.lock.hcl"
_SECONDS = 900.0
_LAST_LINES = 12
# What its messages contain -> what to do.
_HINTS = {
    "No valid credential sources": "Give AWS credentials (AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY), or estimate a plan made where there are some: --plan FILE.",
    "ExpiredToken": "The AWS credentials have expired: sign in again.",
    "InvalidClientTokenId": "AWS does not know the credentials: correct them.",
    "No value for required variable": "Give it: --var NAME=VALUE, or --var-file FILE.",
    "undeclared variable": "Correct the name of the variable.",
    "Invalid value for": "Correct the value: --var NAME=VALUE, or in the file of variables.",
    "Failed to query available provider packages": "Is the network there? Without it, name a "
    f"mirror of the provider: {MIRROR_SETTING}.",
    "Unsupported Terraform Core version": "Install the version of Terraform that it names.",
    "Invalid count argument": "Give count a value that is known before apply; what depends on "
    "something not yet made is planned after it is.",
    "Invalid for_each argument": "Give for_each keys that are known before apply; its values may "
    "be known later.",
    "Backend initialization required": "Initialize the folder again: terraform init.",
    "Required plugins are not installed": "Initialize the folder again: terraform init.",
    "Inconsistent dependency lock file": "Initialize the folder again: terraform init.",
}


def plan_json(folder: Path, var_files: Sequence[Path], variables: Sequence[str]) -> str:
    """`terraform plan` of a folder, as `terraform show -json` writes it.

    A folder that was initialized keeps its backend and workspace; another one is initialized in
    a temporary place. The state is read and not locked. TitaniumError when Terraform fails.
    """
    if not any(folder.glob("*.tf")):
        raise UsageError(
            f"{folder} holds no Terraform configuration (*.tf)",
            "Give the folder of an environment, as terraform/environments/aws, or --plan FILE.",
        )
    options = [f"-var-file={file.absolute()}" for file in var_files]
    options += [f"-var={one}" for one in variables]
    own = data_folder(folder)
    with tempfile.TemporaryDirectory(prefix="titanium-cost-") as name:
        plan = Path(name) / "plan"
        if own.is_dir():
            terraform = terraform_in(folder.absolute(), own)
            return _planned(terraform, plan, options)
        terraform = terraform_in(folder.absolute(), Path(name) / "data")
        with _kept(folder / _LOCK):
            _run(terraform, "init", "-input=false")
            return _planned(terraform, plan, options)


def shown(plan: bytes, folder: Path) -> str:
    """What `terraform plan -out` wrote as JSON, with the providers of `folder`."""
    data = data_folder(folder)
    if not data.is_dir():
        raise UsageError(
            f"{folder} was not initialized, and a plan is read with its providers",
            "Give the FOLDER that was planned, or JSON: terraform show -json plan > plan.json",
        )
    with tempfile.TemporaryDirectory(prefix="titanium-cost-") as name:
        file = Path(name) / "plan"
        file.write_bytes(plan)
        terraform = terraform_in(folder.absolute(), data)
        return _run(terraform, "show", "-json", str(file))


def _planned(terraform: Terraform, plan: Path, options: Sequence[str]) -> str:
    _run(terraform, "plan", "-input=false", "-lock=false", f"-out={plan}", *options)
    return _run(terraform, "show", "-json", str(plan))


def _run(terraform: Terraform, *arguments: str) -> str:
    """What it writes; a failure in its own first words, with the next step where we know it."""
    try:
        done = terraform.attempt(*arguments, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        raise TitaniumError(
            f"terraform {arguments[0]} has not ended after {_SECONDS:g} s",
            "Run it yourself, and estimate its plan: --plan FILE.",
        ) from None
    if done.returncode == 0:
        return done.stdout
    lines = [line.strip("│╷╵ \t") for line in (done.stderr or done.stdout).splitlines()]
    lines = [line for line in lines if line]
    first = next((line for line in lines if line.startswith("Error:")), "it said nothing")
    raise TitaniumError(
        f"terraform {arguments[0]} failed: {first.removeprefix('Error: ')}",
        _hint(first) or _hint(done.stderr) or "Run the same with terraform yourself to see more.",
        tuple(line for line in lines if line != first)[:_LAST_LINES],
    )


def _hint(said: str) -> str:
    return next((hint for mark, hint in _HINTS.items() if mark in said), "")


@contextlib.contextmanager
def _kept(file: Path) -> Iterator[None]:
    """Whatever happens to a file meanwhile, it is as before afterwards."""
    before = file.read_bytes() if file.exists() else None
    try:
        yield
    finally:
        if before is None:
            file.unlink(missing_ok=True)
        elif not file.exists() or file.read_bytes() != before:
            file.write_bytes(before)
