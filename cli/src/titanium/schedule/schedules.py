"""The schedules that EventBridge has: what Terraform's module schedule made of the same hours."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from titanium.aws import speaking_to_aws
from titanium.schedule.resources import Resource, Size

if TYPE_CHECKING:
    import boto3

_CALL = ":aws-sdk:"


@dataclass(frozen=True)
class Schedule:
    """One schedule: `call` such as `ec2:stopInstances`, with the arguments `input`."""

    group: str
    name: str
    expression: str
    zone: str
    enabled: bool
    call: str
    input: dict[str, Any]

    def covers(self, resource: Resource) -> bool:
        """Whether its call names the resource."""
        named = {
            *self.input.get("InstanceIds", []),
            self.input.get("DbInstanceIdentifier"),
            f"{self.input.get('ClusterName')}/{self.input.get('NodegroupName')}",
        }
        return resource.id in named or resource.name in named

    @property
    def action(self) -> str:
        """`start` or `stop`, from what it calls; of groups, from the size."""
        if "ScalingConfig" in self.input:
            return "start" if _number(self.input["ScalingConfig"], "DesiredSize") else "stop"
        return "start" if self.call.split(":")[-1].startswith("start") else "stop"


def read(session: boto3.Session) -> list[Schedule]:
    """Every schedule of this region that calls AWS itself to start or stop something."""
    found = []
    with speaking_to_aws():
        scheduler = session.client("scheduler")
        for page in scheduler.get_paginator("list_schedules").paginate():
            for entry in page["Schedules"]:
                if _CALL not in entry.get("Target", {}).get("Arn", _CALL):
                    continue
                one = scheduler.get_schedule(GroupName=entry["GroupName"], Name=entry["Name"])
                found.append(
                    Schedule(
                        entry["GroupName"],
                        entry["Name"],
                        one["ScheduleExpression"],
                        one.get("ScheduleExpressionTimezone", "UTC"),
                        one.get("State", "ENABLED") == "ENABLED",
                        one["Target"]["Arn"].partition(_CALL)[2],
                        _document(one["Target"].get("Input", "")),
                    )
                )
    return sorted(found, key=lambda one: (one.group, one.name))


def node_group_sizes(schedules: Sequence[Schedule]) -> dict[str, Size]:
    """`cluster/group` -> the size that its start schedule gives it."""
    sizes = {}
    for one in schedules:
        scaling = one.input.get("ScalingConfig")
        if isinstance(scaling, dict) and one.action == "start":
            name = f"{one.input.get('ClusterName')}/{one.input.get('NodegroupName')}"
            sizes[name] = Size(_number(scaling, "MinSize"), _number(scaling, "DesiredSize"))
    return sizes


def uncovered(schedules: Sequence[Schedule], resource: Resource) -> list[str]:
    """Which of start and stop no enabled schedule does for the resource."""
    done = {one.action for one in schedules if one.enabled and one.covers(resource)}
    return [action for action in ("start", "stop") if action not in done]


def _document(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except json.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}


def _number(scaling: dict[str, Any], name: str) -> int:
    value = scaling.get(name)
    return value if isinstance(value, int) else 0
