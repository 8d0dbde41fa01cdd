"""Groups of nodes: scaled to zero and back, because a group replaces what is stopped in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from titanium.errors import UsageError
from titanium.schedule.machines import tags_of
from titanium.schedule.resources import (
    ENVIRONMENT_TAG,
    Kind,
    Resource,
    Size,
    State,
    is_ours,
    only,
    size_of_tags,
    tier_of,
)

if TYPE_CHECKING:
    import boto3

_OF_EKS = "eks:nodegroup-name"
# A group whose nodes are unwell can be scaled like any other.
_EKS_SETTLED = ("ACTIVE", "DEGRADED")
_EKS_FAILED = ("CREATE_FAILED", "DELETE_FAILED", "DELETING")


class NodeGroups(Kind):
    """EKS managed node groups. `sizes` has what the start schedule restores, by cluster/group."""

    name = "node group"

    def __init__(self, session: boto3.Session, sizes: Mapping[str, Size]) -> None:
        self._eks = session.client("eks")
        self._autoscaling = session.client("autoscaling")
        self._sizes = sizes

    def find(self) -> list[Resource]:
        found = []
        for page in self._eks.get_paginator("list_clusters").paginate():
            for cluster in page["clusters"]:
                groups = self._eks.get_paginator("list_nodegroups").paginate(clusterName=cluster)
                for names in groups:
                    for name in names["nodegroups"]:
                        group = self._describe(cluster, name)
                        if is_ours(group.get("tags", {})):
                            found.append(self._resource(group))
        return found

    def look(self, resource: Resource) -> Resource:
        return self._resource(self._describe(resource.extra["cluster"], resource.id))

    def start(self, resource: Resource) -> None:
        size = size_to_start(resource)
        self._scale(resource, size.minimum, size.desired)

    def stop(self, resource: Resource) -> None:
        self._scale(resource, 0, 0)

    def _scale(self, resource: Resource, minimum: int, desired: int) -> None:
        # The maximum stays as it is: nobody has to remember it.
        self._eks.update_nodegroup_config(
            clusterName=resource.extra["cluster"],
            nodegroupName=resource.id,
            scalingConfig={"minSize": minimum, "desiredSize": desired},
        )

    def _describe(self, cluster: str, name: str) -> Any:
        return self._eks.describe_nodegroup(clusterName=cluster, nodegroupName=name)["nodegroup"]

    def _resource(self, group: Any) -> Resource:
        cluster, name, tags = group["clusterName"], group["nodegroupName"], group.get("tags", {})
        status, desired = str(group["status"]), int(group["scalingConfig"]["desiredSize"])
        nodes = self._nodes(group)
        state = _state(desired, *nodes)
        if status not in _EKS_SETTLED:
            state = State.FAILED if status in _EKS_FAILED else State.MOVING
        named = f"{cluster}/{name}"
        return Resource(
            self.name,
            name,
            named,
            tier_of(tags, f"node group {named}"),
            tags.get(ENVIRONMENT_TAG, ""),
            state,
            f"{status.lower()}, {nodes[0]} nodes of {desired}",
            turnable=status in _EKS_SETTLED,
            size=size_of_tags(tags) or self._sizes.get(named),
            extra={"cluster": cluster},
        )

    def _nodes(self, group: Any) -> tuple[int, int]:
        """Its nodes, all and those in service: EKS is done before the last one has gone."""
        names = [one["name"] for one in group.get("resources", {}).get("autoScalingGroups", [])]
        answer = self._autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=names)
        # No names would mean all groups.
        found = answer["AutoScalingGroups"] if names else []
        if not found:
            # Not shown to this role: what EKS says has to do.
            desired = int(group["scalingConfig"]["desiredSize"])
            return desired, desired
        counted = [_count(one) for one in found]
        return sum(one[0] for one in counted), sum(one[1] for one in counted)


class ScalingGroups(Kind):
    """Auto Scaling groups of our own; those of EKS belong to their node group."""

    name = "scaling group"

    def __init__(self, session: boto3.Session) -> None:
        self._autoscaling = session.client("autoscaling")

    def find(self) -> list[Resource]:
        pages = self._autoscaling.get_paginator("describe_auto_scaling_groups").paginate()
        found = [one for page in pages for one in page["AutoScalingGroups"]]
        return [
            self._resource(one, tags)
            for one in found
            if is_ours(tags := tags_of(one.get("Tags"))) and _OF_EKS not in tags
        ]

    def look(self, resource: Resource) -> Resource:
        answer = self._autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[resource.id])
        one = only(answer["AutoScalingGroups"])
        return self._resource(one, tags_of(one.get("Tags")))

    def start(self, resource: Resource) -> None:
        size = size_to_start(resource)
        self._autoscaling.update_auto_scaling_group(
            AutoScalingGroupName=resource.id,
            MinSize=size.minimum,
            DesiredCapacity=size.desired,
        )

    def stop(self, resource: Resource) -> None:
        self._autoscaling.update_auto_scaling_group(
            AutoScalingGroupName=resource.id, MinSize=0, DesiredCapacity=0
        )

    def _resource(self, one: Any, tags: Mapping[str, str]) -> Resource:
        name, desired = str(one["AutoScalingGroupName"]), int(one["DesiredCapacity"])
        nodes = _count(one)
        return Resource(
            self.name,
            name,
            name,
            tier_of(tags, f"scaling group {name}"),
            tags.get(ENVIRONMENT_TAG, ""),
            _state(desired, *nodes),
            f"{nodes[0]} instances of {desired}",
            turnable=True,
            size=size_of_tags(tags),
        )


def size_to_start(resource: Resource) -> Size:
    """What a group goes back to; UsageError when neither its tags nor the schedule says it."""
    if resource.size is None or resource.size.desired < 1:
        raise UsageError(
            f"nobody says to what size {resource} goes back",
            "Tag it ScheduleMin and ScheduleDesired, or apply the Terraform module schedule.",
        )
    return resource.size


def _count(group: Any) -> tuple[int, int]:
    instances = group.get("Instances", [])
    return len(instances), sum(one["LifecycleState"] == "InService" for one in instances)


def _state(desired: int, nodes: int, in_service: int) -> State:
    if desired == 0:
        return State.OFF if nodes == 0 else State.MOVING
    return State.ON if in_service >= desired else State.MOVING
