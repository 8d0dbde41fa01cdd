"""Terraform against an emulator of AWS: the real program and provider, `moto_server` for AWS."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from titanium.errors import TitaniumError
from titanium.terraform import Terraform, terraform_in

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "terraform"
# What the emulator cannot do, module by module: laid over a copy of the sources.
EMULATOR = Path(__file__).parent / "emulator"
REGION = "ap-northeast-2"
PROGRAM = ROOT / ".venv" / "moto" / "bin" / "moto_server"

# Of an account that does not exist.
ACCOUNT = {
    "domain": "titanium.example.org",
    "create_zone": True,
    "office_public_ip": "198.51.100.10",
    "administrator_arns": ["arn:aws:iam::123456789012:role/platform-administrators"],
    "vpn_peers": [
        {
            "name": "laptop",
            "public_key": "dGl0YW5pdW0gdGVzdCBsYXB0b3AgcHVibGljIGtleTA=",
            "address": "172.16.60.2",
        }
    ],
    "protect": False,
}


def emulator_program() -> Path:
    """moto_server, set up when it is not there yet; skips with what prevents it."""
    if not PROGRAM.exists():
        set_up = [sys.executable, str(ROOT / "scripts" / "bootstrap.py"), "--only", "moto"]
        done = subprocess.run(set_up, capture_output=True, text=True, check=False)
        if done.returncode != 0 or not PROGRAM.exists():
            pytest.skip(f"moto cannot be set up: {done.stderr.strip()[-200:]}")
    return PROGRAM


@contextmanager
def emulator(log: Path) -> Iterator[str]:
    """An emulator of its own, with nothing in it; its URL."""
    program = emulator_program()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {
        "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
        "MOTO_AMIS_PATH": str(EMULATOR / "amis.json"),
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(program), "--host", "127.0.0.1", "--port", str(port)],
            env=os.environ | settings,
            stdout=output,
            stderr=output,
        )
    try:
        _wait_for(process, port, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(f"moto_server did not start: {log.read_text()}")


def credentials(url: str) -> dict[str, str]:
    """Environment variables that lead every AWS client to the emulator."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",  # the emulator takes any
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        # What the emulator does not know shows at once, not after minutes of trying again.
        "AWS_MAX_ATTEMPTS": "4",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def copy_sources(folder: Path, *, emulated: bool) -> Path:
    """A copy of terraform/ in `folder`; with what the emulator cannot do left out if `emulated`."""
    target = folder / "terraform"
    shutil.copytree(SOURCES, target, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
    if emulated:
        for path in EMULATOR.rglob("*_override.tf"):
            goal = target / path.relative_to(EMULATOR)
            if goal.parent.is_dir():
                shutil.copy(path, goal)
    return target


def initialized(configuration: Path, data: Path, url: str = "") -> Terraform:
    """Terraform with its providers, ready to plan; skips when there is no Terraform or provider."""
    try:
        made = terraform_in(configuration, data)
    except TitaniumError as error:
        pytest.skip(error.message)
    environment = credentials(url or "http://127.0.0.1:9")
    terraform = Terraform(made.program, configuration, data, made.config_file, environment)
    done = terraform.attempt("init", "-backend=false", timeout=120)
    if done.returncode != 0:
        said = " ".join((done.stdout + done.stderr).split())
        missing = ("Failed to query available provider packages", "Failed to install provider")
        assert any(words in said for words in missing), said
        pytest.skip(f"no provider for {configuration.name}: neither a mirror nor the registry")
    return terraform


@dataclass
class Applied:
    """What one life of a configuration showed: applied, planned again, destroyed."""

    name: str
    plan: dict[str, Any] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    second_plan: list[str] = field(default_factory=list)
    left_in_state: str = ""
    left_in_account: list[str] = field(default_factory=list)
    destroyed: bool = False
    said: str = ""
    skipped: str = ""

    def resources(self, kind: str) -> list[dict[str, Any]]:
        """Values of every managed resource of type `kind`, each with its `address`."""
        return [
            {"address": one["address"], **one["values"]}
            for one in every_resource(self.state["values"]["root_module"])
            if one["type"] == kind and one["mode"] == "managed"
        ]

    def planned(self, kind: str) -> list[dict[str, Any]]:
        """What the first plan, of the sources as they are, makes of type `kind`."""
        return [
            {"address": one["address"], **one["values"]}
            for one in every_resource(self.plan["planned_values"]["root_module"])
            if one["type"] == kind and one["mode"] == "managed"
        ]

    def one(self, kind: str) -> dict[str, Any]:
        """The only resource of its type."""
        (found,) = self.resources(kind)
        return found


def every_resource(module: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Resources of a module of `terraform show -json` and of those below it."""
    yield from module.get("resources", [])
    for child in module.get("child_modules", []):
        yield from every_resource(child)


def live(folder: Path, where: str, profile: str = "") -> Applied:
    """Apply the configuration `where` (below terraform/), plan again, destroy; what was seen.

    The first plan is of the sources as they are, the rest of what the emulator can do.
    """
    result = Applied(profile or where)
    whole = copy_sources(folder / "whole", emulated=False) / where
    emulated = copy_sources(folder / "emulated", emulated=True) / where
    variables = [f"-var-file={profile}.tfvars"] if profile else []
    for configuration in (whole, emulated):
        if profile:
            (configuration / "account.auto.tfvars.json").write_text(json.dumps(ACCOUNT))
    with emulator(folder / "moto.log") as url:
        try:
            terraform = initialized(emulated, folder / "data", url)
            if profile:
                first = initialized(whole, folder / "data-whole", url)
                first.run("plan", "-refresh=false", "-out=plan", *variables)
                result.plan = json.loads(first.run("show", "-json", "plan"))
        except pytest.skip.Exception as reason:
            result.skipped = str(reason)
            return result
        terraform.run("apply", "-auto-approve", "-parallelism=15", *variables, timeout=280)
        result.state = json.loads(terraform.run("show", "-json"))
        outputs = result.state["values"].get("outputs", {})
        result.outputs = {name: output.get("value") for name, output in outputs.items()}
        terraform.run("plan", "-out=again", *variables)
        again = json.loads(terraform.run("show", "-json", "again"))
        result.second_plan = [
            f"{change['address']}: {', '.join(change['change']['actions'])}"
            for change in again.get("resource_changes", [])
            if change["change"]["actions"] not in (["no-op"], ["read"])
        ]
        with releasing(url):
            done = terraform.attempt(
                "destroy", "-auto-approve", "-parallelism=15", *variables, timeout=280
            )
        result.destroyed = done.returncode == 0
        result.said = (done.stdout + done.stderr)[-2000:]
        result.left_in_state = terraform.run("state", "list")
        result.left_in_account = tagged(url)
    return result


@contextmanager
def releasing(url: str) -> Iterator[None]:
    """Meanwhile, interfaces and disks of instances that ended are free, as they are on AWS: the
    emulator keeps them attached, and then they cannot be deleted."""
    over = threading.Event()

    def release() -> None:
        ec2 = client("ec2", url)
        while not over.wait(0.5):
            ended = terminated(ec2)
            for interface in ec2.describe_network_interfaces()["NetworkInterfaces"]:
                attachment = interface.get("Attachment") or {}
                if attachment.get("InstanceId") in ended:
                    ec2.detach_network_interface(
                        AttachmentId=attachment["AttachmentId"], Force=True
                    )
            for disk in ec2.describe_volumes()["Volumes"]:
                for attachment in disk["Attachments"]:
                    if attachment["InstanceId"] in ended:
                        ec2.detach_volume(VolumeId=disk["VolumeId"])

    def patiently() -> None:
        # Terraform changes the same things: what is gone meanwhile needs no releasing.
        while not over.is_set():
            with suppress(ClientError, BotoCoreError):
                release()

    thread = threading.Thread(target=patiently)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(30)


def client(service: str, url: str) -> Any:
    """boto3's client for the emulator."""
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def terminated(ec2: Any) -> set[str]:
    """Ids of instances that ended; they stay visible for a while."""
    return {
        instance["InstanceId"]
        for reservation in ec2.describe_instances()["Reservations"]
        for instance in reservation["Instances"]
        if instance["State"]["Name"] == "terminated"
    }


def tagged(url: str) -> list[str]:
    """ARNs of what carries our tag and is not on its way out: instances that ended, keys that wait
    for their deletion."""
    found = client("resourcegroupstaggingapi", url).get_resources(
        TagFilters=[{"Key": "Project", "Values": ["titanium"]}]
    )["ResourceTagMappingList"]
    ended = terminated(client("ec2", url))
    arns = [one["ResourceARN"] for one in found]
    return [arn for arn in arns if arn.rsplit("/", 1)[-1] not in ended and ":key/" not in arn]
