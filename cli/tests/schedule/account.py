"""An account with what the Terraform modules make, and what they do not."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import boto3

OURS = {"Project": "titanium", "Environment": "test", "Schedule": "office-hours"}
NETWORKS = ["subnet-12345678"]
IMAGE = "ami-0deb1200000000001"  # of tests/terraform/emulator/amis.json
ROLE = "arn:aws:iam::123456789012:role/titanium"


def pairs(tags: dict[str, str]) -> Any:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


@cache
def _client(service: str) -> Any:
    """Made once: the emulator's address is the same for all tests."""
    return boto3.client(service)  # type: ignore[call-overload]


class Account:
    """Makes resources in the emulator and says in which state they are."""

    def __init__(self) -> None:
        self.ec2: Any = _client("ec2")
        self.rds: Any = _client("rds")
        self.eks: Any = _client("eks")
        self.autoscaling: Any = _client("autoscaling")
        self.scheduler: Any = _client("scheduler")

    def instance(self, name: str, tags: dict[str, str]) -> str:
        made = self.ec2.run_instances(
            ImageId=IMAGE,
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[{"ResourceType": "instance", "Tags": pairs({"Name": name, **tags})}],
        )
        return str(made["Instances"][0]["InstanceId"])

    def database(self, name: str, tags: dict[str, str]) -> None:
        self.rds.create_db_instance(
            DBInstanceIdentifier=name,
            DBInstanceClass="db.t3.medium",
            Engine="postgres",
            MasterUsername="titanium",
            MasterUserPassword="not-a-secret-1",
            AllocatedStorage=20,
            Tags=pairs(tags),
        )

    def node_group(self, name: str, tags: dict[str, str], desired: int = 2) -> None:
        if "titanium" not in self.eks.list_clusters()["clusters"]:
            self.eks.create_cluster(
                name="titanium", roleArn=ROLE, resourcesVpcConfig={"subnetIds": NETWORKS}
            )
        self.eks.create_nodegroup(
            clusterName="titanium",
            nodegroupName=name,
            subnets=NETWORKS,
            nodeRole=ROLE,
            scalingConfig={"minSize": 0, "maxSize": 4, "desiredSize": desired},
            tags=tags,
        )

    def scaling_group(self, name: str, tags: dict[str, str], desired: int = 1) -> None:
        self.autoscaling.create_launch_configuration(
            LaunchConfigurationName=name, ImageId=IMAGE, InstanceType="t3.micro"
        )
        self.autoscaling.create_auto_scaling_group(
            AutoScalingGroupName=name,
            LaunchConfigurationName=name,
            MinSize=0,
            MaxSize=4,
            DesiredCapacity=desired,
            AvailabilityZones=["ap-northeast-2a"],
            Tags=[
                {"Key": key, "Value": value, "PropagateAtLaunch": True}
                for key, value in tags.items()
            ],
        )

    def schedule(self, name: str, expression: str, call: str, arguments: Any) -> None:
        if not any(
            one["Name"] == "titanium"
            for one in self.scheduler.list_schedule_groups()["ScheduleGroups"]
        ):
            self.scheduler.create_schedule_group(Name="titanium")
        self.scheduler.create_schedule(
            Name=name,
            GroupName="titanium",
            ScheduleExpression=expression,
            ScheduleExpressionTimezone="Asia/Seoul",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={
                "Arn": f"arn:aws:scheduler:::aws-sdk:{call}",
                "RoleArn": ROLE,
                "Input": json.dumps(arguments),
            },
        )

    def node_group_schedules(self, name: str, desired: int = 2) -> None:
        """As terraform/modules/schedule writes them."""
        for action, size in (("start", desired), ("stop", 0)):
            self.schedule(
                f"{action}-nodes-titanium-{name}",
                "cron(5 9 ? * MON-FRI *)" if action == "start" else "cron(0 2 ? * TUE-SAT *)",
                "eks:updateNodegroupConfig",
                {
                    "ClusterName": "titanium",
                    "NodegroupName": name,
                    "ScalingConfig": {"MinSize": 0, "MaxSize": 4, "DesiredSize": size},
                },
            )

    # States

    def instance_state(self, instance: str) -> str:
        found = self.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]
        return str(found["Instances"][0]["State"]["Name"])

    def database_state(self, name: str) -> str:
        found = self.rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
        return str(found[0]["DBInstanceStatus"])

    def nodes(self, name: str) -> dict[str, Any]:
        found = self.eks.describe_nodegroup(clusterName="titanium", nodegroupName=name)
        return dict(found["nodegroup"]["scalingConfig"])

    def group_size(self, name: str) -> tuple[int, int]:
        answer = self.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])
        group = answer["AutoScalingGroups"][0]
        return group["MinSize"], group["DesiredCapacity"]
