"""The life of a configuration in the emulator: applied, planned again, destroyed; what was seen."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tests.terraform.support import (
    ACCOUNT,
    LONG,
    Lent,
    at,
    client,
    copy_sources,
    environment,
    initialized,
    planned,
    terminated,
)
from titanium.terraform import Terraform

# Put on whatever Terraform makes, so that what is left behind can be found.
MARK = ("Life", "test")


@dataclass
class Applied:
    """What one life of a configuration showed."""

    name: str
    plan: dict[str, Any] = field(default_factory=dict)
    # Type and values of each managed resource after applying.
    state: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    second_plan: list[str] = field(default_factory=list)
    left_in_state: list[str] = field(default_factory=list)
    left_in_account: list[str] = field(default_factory=list)
    destroyed: bool = False
    said: str = ""

    def resources(self, kind: str) -> list[dict[str, Any]]:
        """Values of every managed resource of type `kind`, each with its `address`."""
        return [one for of, one in self.state if of == kind]

    def planned(self, kind: str) -> list[dict[str, Any]]:
        """What the first plan, of the sources as they are, makes of type `kind`."""
        return [
            one["values"] | {"address": one["address"]}
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


def live(emulator: Lent, folder: Path, where: str, profile: str = "") -> Applied:
    """Apply the configuration `where` (below terraform/), plan again, destroy; what was seen.

    With a profile there is a first plan, of the sources as they are; the rest is of what the
    emulator can do. TitaniumError when Terraform fails; skips when there is none.
    """
    result = Applied(profile or where)
    configuration = copy_sources(folder / "emulated", emulated=True) / where
    if profile:
        (configuration / "account.auto.tfvars.json").write_text(json.dumps(ACCOUNT))
    variables = [f"-var-file={profile}.tfvars"] if profile else []
    prepared = initialized(configuration, folder / "data")
    key, value = MARK
    with emulator() as url:
        terraform = at(prepared, url, **{f"TF_AWS_DEFAULT_TAGS_{key}": value})
        if profile:
            result.plan = planned(environment(folder / "whole", ACCOUNT, url), *variables)
        terraform.run("apply", "-auto-approve", "-parallelism=15", *variables, timeout=LONG)
        result.state, result.outputs = in_state(configuration)
        result.second_plan = _changes(terraform, variables)
        with releasing(url):
            # The second plan has just read everything.
            options = ("-auto-approve", "-refresh=false", "-parallelism=15")
            done = terraform.attempt("destroy", *options, *variables, timeout=LONG)
        result.destroyed = done.returncode == 0
        result.said = (done.stdout + done.stderr)[-2000:]
        result.left_in_state = [one["address"] for _, one in in_state(configuration)[0]]
        result.left_in_account = left(url)
    return result


def _changes(terraform: Terraform, variables: list[str]) -> list[str]:
    """What a plan would change, one line each."""
    # 2: there are changes. Reading the text saves another start of the provider.
    said = terraform.run("plan", "-detailed-exitcode", *variables, ok=(0, 2), timeout=LONG)
    changes = re.findall(r"^  # (\S+ (?:will|must) be .+)$", said, re.MULTILINE)
    return changes if changes or "No changes." in said else [said[-2000:]]


def in_state(
    configuration: Path,
) -> tuple[list[tuple[str, dict[str, Any]]], dict[str, Any]]:
    """Managed resources (type, values with their `address`) and outputs in the state.

    Read from the file: `terraform show -json` costs another start of the provider.
    """
    state = json.loads((configuration / "terraform.tfstate").read_text("utf-8"))
    found = []
    for one in state["resources"]:
        place = ".".join(part for part in (one.get("module"), one["type"], one["name"]) if part)
        for instance in one["instances"] if one["mode"] == "managed" else []:
            key = f"[{json.dumps(instance['index_key'])}]" if "index_key" in instance else ""
            found.append((one["type"], instance["attributes"] | {"address": place + key}))
    return found, {name: output["value"] for name, output in state["outputs"].items()}


@contextmanager
def releasing(url: str) -> Iterator[None]:
    """Meanwhile, interfaces and disks of instances that ended are free, as they are on AWS: the
    emulator keeps them attached, and then they cannot be deleted."""
    over = threading.Event()
    freed: set[str] = set()

    def release() -> None:
        ec2 = client("ec2", url)
        while not over.wait(0.5):
            if ended := terminated(ec2) - freed:
                _free(ec2, ended)
                freed.update(ended)

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


def _free(ec2: Any, ended: set[str]) -> None:
    for interface in ec2.describe_network_interfaces()["NetworkInterfaces"]:
        attachment = interface.get("Attachment") or {}
        if attachment.get("InstanceId") in ended:
            ec2.detach_network_interface(AttachmentId=attachment["AttachmentId"], Force=True)
    for disk in ec2.describe_volumes()["Volumes"]:
        for attachment in disk["Attachments"]:
            if attachment["InstanceId"] in ended:
                ec2.detach_volume(VolumeId=disk["VolumeId"])


def left(url: str) -> list[str]:
    """What a destroyed configuration left in the account."""
    return sorted([*_tagged(url), *_listed(url)])


def _tagged(url: str) -> Iterator[str]:
    """ARNs of what carries our mark and is not on its way out, as keys and secrets that wait for
    their deletion are."""
    pages = client("resourcegroupstaggingapi", url).get_paginator("get_resources")
    ended = _ended(client("ec2", url))
    waiting = {
        secret["ARN"]
        for secret in client("secretsmanager", url).list_secrets(IncludePlannedDeletion=True)[
            "SecretList"
        ]
        if secret.get("DeletedDate")
    }
    key, value = MARK
    for page in pages.paginate(TagFilters=[{"Key": key, "Values": [value]}]):
        for one in page["ResourceTagMappingList"]:
            arn: str = one["ResourceARN"]
            gone = arn in waiting or arn.rsplit("/", 1)[-1] in ended or ":key/" in arn
            if not gone:
                yield arn


def _ended(ec2: Any) -> set[str]:
    """Ids of what stays visible for a while after its end."""
    networks = {
        "NatGatewayId": ec2.describe_nat_gateways()["NatGateways"],
        "VpnConnectionId": ec2.describe_vpn_connections()["VpnConnections"],
        "CustomerGatewayId": ec2.describe_customer_gateways()["CustomerGateways"],
        "VpnGatewayId": ec2.describe_vpn_gateways()["VpnGateways"],
    }
    return terminated(ec2) | {
        one[key] for key, found in networks.items() for one in found if one["State"] == "deleted"
    }


def _listed(url: str) -> Iterator[str]:
    """What the emulator's tagging API does not know."""
    iam = client("iam", url)
    yield from (one["Arn"] for one in iam.list_roles()["Roles"])
    yield from (one["Arn"] for one in iam.list_instance_profiles()["InstanceProfiles"])
    yield from (one["Arn"] for one in iam.list_policies(Scope="Local")["Policies"])
    providers = iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    yield from (one["Arn"] for one in providers)
    route53 = client("route53", url)
    yield from (one["Id"] for one in route53.list_hosted_zones()["HostedZones"])
    yield from (one["Id"] for one in route53.list_health_checks()["HealthChecks"])
    yield from client("eks", url).list_clusters()["clusters"]
    firewalls = client("wafv2", url).list_web_acls(Scope="REGIONAL")["WebACLs"]
    yield from (one["ARN"] for one in firewalls)
    schedules = client("scheduler", url).list_schedules()["Schedules"]
    yield from (one["Arn"] for one in schedules)
