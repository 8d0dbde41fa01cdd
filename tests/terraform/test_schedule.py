"""What EventBridge would do with the schedules that Terraform makes.

The emulator keeps schedules, but neither checks nor fires them: their expressions are read as AWS
does it, and their calls are made here, in the order in which they would fire.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest
from click.testing import CliRunner

from tests.terraform.life import Applied
from tests.terraform.support import EMULATOR, SOURCES, Lent, client, credentials
from titanium.main import cli
from titanium.schedule.cron import parse, time_zone

pytestmark = pytest.mark.cloud

# A Thursday evening in Seoul: the night's stop and the morning's start follow.
EVENING = datetime.fromisoformat("2027-01-28T23:00:00+09:00")
IMAGE = json.loads((EMULATOR / "amis.json").read_text())[0]["ami_id"]
ROLE = "arn:aws:iam::123456789012:role/titanium"
CALL = re.compile(r"arn:aws:scheduler:::aws-sdk:(\w+):(\w+)")


@pytest.fixture(scope="module")
def schedules(light: Applied) -> dict[str, dict[str, Any]]:
    """Name => the schedule as it was made, in the order of this night's firing."""
    made = {one["name"]: one for one in light.resources("aws_scheduler_schedule")}
    return dict(sorted(made.items(), key=lambda item: fires(item[1])))


@pytest.fixture(scope="module")
def account(lent: Lent) -> Iterator[str]:
    """An emulator for this module alone; its address."""
    with lent() as url:
        yield url


def fires(schedule: dict[str, Any]) -> datetime:
    zone = time_zone(schedule["schedule_expression_timezone"])
    return next(parse(schedule["schedule_expression"]).times(EVENING, zone))


def test_each_expression_fires_in_the_night_and_in_the_morning(
    schedules: dict[str, dict[str, Any]],
) -> None:
    """Nodes go before the database and come after it; nothing has a window to be late in."""
    times = {name: f"{fires(one):%a %H:%M}" for name, one in schedules.items()}
    assert times == {
        "stop-nodes-titanium-application": "Fri 02:00",
        "stop-database": "Fri 02:15",
        "stop-nodes-again-titanium-application": "Fri 02:30",
        "start-database": "Fri 09:00",
        "start-nodes-titanium-application": "Fri 09:15",
    }
    for one in schedules.values():
        assert one["state"] == "ENABLED"
        assert one["flexible_time_window"][0]["mode"] == "OFF"
        # Nothing at the weekend but the end of Friday's evening.
        friday = datetime.fromisoformat("2027-01-30T03:00:00+09:00")
        zone = time_zone(one["schedule_expression_timezone"])
        coming = next(parse(one["schedule_expression"]).times(friday, zone))
        assert coming - friday > timedelta(days=2)


def test_the_calls_stop_everything_and_start_it_again(
    schedules: dict[str, dict[str, Any]], account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each with exactly the arguments that EventBridge would give, into the account's own API."""
    group = make_group(account, schedules)
    instances = make_instances(account, schedules)
    keep(account, schedules, instances)
    for name, value in credentials(account).items():
        monkeypatch.setenv(name, value)
    shown = CliRunner().invoke(cli, ["schedule", "plan", "--at", EVENING.isoformat()])
    assert shown.exit_code == 0, (shown.output, shown.exception)
    assert "no schedule will" not in shown.output
    assert "start-database" in shown.output
    seen = []
    for one in schedules.values():
        call(account, one, instances)
        seen.append((one["name"].split("-")[0], states(account, instances), nodes(account, group)))
    assert seen == [
        ("stop", {"running"}, 0),
        ("stop", {"stopped"}, 0),
        ("stop", {"stopped"}, 0),
        ("start", {"running"}, 0),
        ("start", {"running"}, 3),
    ]


def test_every_call_of_the_module_is_one_of_awss_with_its_arguments() -> None:
    """Also those of RDS, which profile light has not."""
    text = (SOURCES / "modules" / "schedule" / "main.tf").read_text()
    calls = re.findall(r'call += "(\w+):(\w+)"\s+input = \{\s*((?:\w+ += .+\s+?)+)', text)
    assert {service for service, _, _ in calls} == {"ec2", "rds", "eks"}
    assert len(calls) == text.count("call  =") + text.count("call =")
    for service, operation, body in calls:
        names = re.findall(r"^\s*(\w+) +=", body, re.MULTILINE)
        assert names
        assert set(names) <= set(arguments(boto3.client(service, "ap-northeast-2"), operation))


def arguments(api: Any, operation: str) -> dict[str, str]:
    """The operation's arguments as EventBridge writes them => as boto3 does."""
    model = api.meta.service_model.operation_model(operation[0].upper() + operation[1:])
    # `DBInstanceIdentifier` is `DbInstanceIdentifier` there, `clusterName` is `ClusterName`.
    return {
        re.sub(r"^DBI", "DbI", name[0].upper() + name[1:]): name
        for name in model.input_shape.members
    }


def call(account: str, schedule: dict[str, Any], instances: dict[str, str]) -> None:
    """Make the call of a schedule: instances of the account in the place of the applied ones."""
    target = schedule["target"][0]
    found = CALL.fullmatch(target["arn"])
    assert found, target["arn"]
    given = json.loads(target["input"])
    given["InstanceIds"] = [instances[one] for one in given.get("InstanceIds", [])]
    if not given["InstanceIds"]:
        del given["InstanceIds"]
    api = client(found[1], account)
    names = arguments(api, found[2])
    inside = {key: small(value) for key, value in given.items()}
    operation = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", found[2]).lower()
    getattr(api, operation)(**{names[key]: value for key, value in inside.items()})


def small(value: Any) -> Any:
    """EKS's inner names begin with a small letter in boto3."""
    if isinstance(value, dict):
        return {key[0].lower() + key[1:]: small(one) for key, one in value.items()}
    return value


def make_group(account: str, schedules: dict[str, dict[str, Any]]) -> tuple[str, str]:
    """The node group that the schedules name, with three nodes."""
    given = json.loads(schedules["start-nodes-titanium-application"]["target"][0]["input"])
    eks, names = client("eks", account), (given["ClusterName"], given["NodegroupName"])
    subnets = ["subnet-12345678"]
    eks.create_cluster(name=names[0], roleArn=ROLE, resourcesVpcConfig={"subnetIds": subnets})
    eks.create_nodegroup(
        clusterName=names[0],
        nodegroupName=names[1],
        subnets=subnets,
        nodeRole=ROLE,
        scalingConfig={"minSize": 1, "maxSize": 5, "desiredSize": 3},
        tags=tags("application"),
    )
    return names


def make_instances(account: str, schedules: dict[str, dict[str, Any]]) -> dict[str, str]:
    """An instance in the place of each that was applied: its old id => its id here."""
    wanted = json.loads(schedules["stop-database"]["target"][0]["input"])["InstanceIds"]
    assert len(wanted) == 3
    pairs = [{"Key": key, "Value": value} for key, value in tags("database").items()]
    made = client("ec2", account).run_instances(
        ImageId=IMAGE,
        MinCount=3,
        MaxCount=3,
        TagSpecifications=[{"ResourceType": "instance", "Tags": pairs}],
    )["Instances"]
    return dict(zip(wanted, [one["InstanceId"] for one in made], strict=True))


def keep(account: str, schedules: dict[str, dict[str, Any]], instances: dict[str, str]) -> None:
    """The schedules in the account, as Terraform put them into its own."""
    scheduler = client("scheduler", account)
    scheduler.create_schedule_group(Name="titanium")
    for one in schedules.values():
        target = one["target"][0]
        text = target["input"]
        for old, new in instances.items():
            text = text.replace(old, new)
        scheduler.create_schedule(
            Name=one["name"],
            GroupName="titanium",
            ScheduleExpression=one["schedule_expression"],
            ScheduleExpressionTimezone=one["schedule_expression_timezone"],
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": target["arn"], "RoleArn": ROLE, "Input": text},
        )


def tags(tier: str) -> dict[str, str]:
    ours = {"Project": "titanium", "Environment": "test", "Schedule": "office-hours"}
    return {**ours, "Tier": tier}


def states(account: str, instances: dict[str, str]) -> set[str]:
    found = client("ec2", account).describe_instances(InstanceIds=list(instances.values()))
    return {one["State"]["Name"] for group in found["Reservations"] for one in group["Instances"]}


def nodes(account: str, group: tuple[str, str]) -> int:
    found = client("eks", account).describe_nodegroup(clusterName=group[0], nodegroupName=group[1])
    return int(found["nodegroup"]["scalingConfig"]["desiredSize"])
