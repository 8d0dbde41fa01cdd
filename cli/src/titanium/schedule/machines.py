"""Single machines that are stopped and started: EC2 instances and RDS instances."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from titanium.schedule.resources import (
    ENVIRONMENT_TAG,
    PROJECT_TAG,
    SCHEDULE_TAG,
    Kind,
    Resource,
    State,
    is_ours,
    only,
    tier_of,
)

if TYPE_CHECKING:
    import boto3
    from types_boto3_ec2.type_defs import FilterTypeDef

_ALIVE = ["pending", "running", "stopping", "stopped"]
_RDS_FAILED = ("failed", "incompatible-", "inaccessible-", "restore-error")


def tags_of(entries: Any) -> dict[str, str]:
    """AWS's list of {Key, Value} as a mapping."""
    return {str(one["Key"]): str(one["Value"]) for one in entries or []}


class Instances(Kind):
    """EC2 instances by themselves; one of an Auto Scaling group would be replaced when stopped."""

    name = "instance"

    def __init__(self, session: boto3.Session) -> None:
        self._ec2 = session.client("ec2")

    def find(self) -> list[Resource]:
        ours = [
            {"Name": f"tag:{key}", "Values": [value]} for key, value in (SCHEDULE_TAG, PROJECT_TAG)
        ]
        alive = {"Name": "instance-state-name", "Values": _ALIVE}
        filters = cast("list[FilterTypeDef]", [*ours, alive])
        pages = self._ec2.get_paginator("describe_instances").paginate(Filters=filters)
        found = [
            one for page in pages for group in page["Reservations"] for one in group["Instances"]
        ]
        return [
            self._resource(one)
            for one in found
            if "aws:autoscaling:groupName" not in tags_of(one.get("Tags"))
        ]

    def look(self, resource: Resource) -> Resource:
        answer = self._ec2.describe_instances(InstanceIds=[resource.id])
        return self._resource(only(answer["Reservations"])["Instances"][0])

    def start(self, resource: Resource) -> None:
        self._ec2.start_instances(InstanceIds=[resource.id])

    def stop(self, resource: Resource) -> None:
        self._ec2.stop_instances(InstanceIds=[resource.id])

    def _resource(self, one: Any) -> Resource:
        tags = tags_of(one.get("Tags"))
        detail = str(one["State"]["Name"])
        states = {"running": State.ON, "stopped": State.OFF}
        state = states.get(detail, State.MOVING)
        if detail in ("terminated", "shutting-down"):
            state = State.FAILED
        if state is State.ON and not self._checked(one["InstanceId"]):
            state, detail = State.MOVING, "running, its checks are not passed yet"
        name = tags.get("Name") or one["InstanceId"]
        return Resource(
            self.name,
            one["InstanceId"],
            name,
            tier_of(tags, f"instance {name}"),
            tags.get(ENVIRONMENT_TAG, ""),
            state,
            detail,
            turnable=one["State"]["Name"] == "running",
        )

    def _checked(self, instance: str) -> bool:
        """Whether EC2's two checks pass: a running machine may still be booting."""
        found = self._ec2.describe_instance_status(InstanceIds=[instance])["InstanceStatuses"]
        return all(
            one[check]["Status"] == "ok"
            for one in found
            for check in ("InstanceStatus", "SystemStatus")
        )


class Databases(Kind):
    """RDS instances. AWS starts a stopped one again after seven days."""

    name = "database"

    def __init__(self, session: boto3.Session) -> None:
        self._rds = session.client("rds")

    def find(self) -> list[Resource]:
        pages = self._rds.get_paginator("describe_db_instances").paginate()
        found = [one for page in pages for one in page["DBInstances"]]
        return [
            self._resource(one, tags)
            for one in found
            if is_ours(tags := tags_of(one.get("TagList")))
        ]

    def look(self, resource: Resource) -> Resource:
        answer = self._rds.describe_db_instances(DBInstanceIdentifier=resource.id)
        one = only(answer["DBInstances"])
        return self._resource(one, tags_of(one.get("TagList")))

    def start(self, resource: Resource) -> None:
        self._rds.start_db_instance(DBInstanceIdentifier=resource.id)

    def stop(self, resource: Resource) -> None:
        self._rds.stop_db_instance(DBInstanceIdentifier=resource.id)

    def _resource(self, one: Any, tags: Mapping[str, str]) -> Resource:
        detail = str(one["DBInstanceStatus"])
        states = {"available": State.ON, "stopped": State.OFF}
        state = states.get(detail, State.MOVING)
        if detail.startswith(_RDS_FAILED):
            state = State.FAILED
        name = str(one["DBInstanceIdentifier"])
        return Resource(
            self.name,
            name,
            name,
            tier_of(tags, f"database {name}"),
            tags.get(ENVIRONMENT_TAG, ""),
            state,
            detail,
        )
