"""What is known only after apply is never guessed where it decides the price."""

from __future__ import annotations

import pytest

from cli.tests.cost.support import GP3, cents, fixture, priced, resource
from titanium.cost.estimate import UnpricedError
from titanium.cost.model import Resource

pytestmark = pytest.mark.unit


def refusal(*resources: Resource) -> tuple[str, ...]:
    with pytest.raises(UnpricedError) as caught:
        priced(*resources)
    return caught.value.details


def test_an_unknown_instance_type_is_one_clear_line() -> None:
    one = resource(
        "aws_instance",
        {"root_block_device": GP3},
        unknown={"instance_type": True},
        references={"instance_type": ("data.aws_ec2_instance_type.x",)},
    )
    (line,) = refusal(one)
    assert line.startswith("aws_instance.this (aws_instance), instance_type: ")
    assert line.endswith("is known only after apply; set it in the configuration")


def test_an_unknown_size_inside_a_block_is_named_by_its_path() -> None:
    one = resource(
        "aws_instance",
        {"instance_type": "t3.micro", "root_block_device": [{"volume_type": "gp3"}]},
        unknown={"root_block_device": [{"volume_size": True}]},
        references={"root_block_device": ()},
    )
    assert "root_block_device[0].volume_size: is known only after apply" in refusal(one)[0]


def test_a_block_that_only_terraform_knows_of_is_not_taken_for_unset() -> None:
    """A dynamic block is in no argument of the configuration, and it is there."""
    one = resource(
        "aws_instance",
        {"instance_type": "t3.micro", "root_block_device": [{"volume_size": 8}]},
        unknown={"root_block_device": [{"volume_type": True}]},
        references={"instance_type": ()},
    )
    assert "root_block_device[0].volume_type: is known only after apply" in refusal(one)[0]


def test_what_nobody_set_is_what_aws_takes() -> None:
    """Tenancy, monitoring and public address are unknown and in no argument."""
    left_open = ("tenancy", "monitoring", "associate_public_ip_address", "ebs_block_device")
    one = resource(
        "aws_instance",
        {"instance_type": "t3.micro", "root_block_device": GP3},
        unknown=dict.fromkeys(left_open, True),
        references={"instance_type": (), "root_block_device": ()},
    )
    assert cents(priced(one)) == "11.31"


def test_a_disk_that_the_image_decides_is_asked_for() -> None:
    one = resource(
        "aws_instance",
        {"instance_type": "t3.micro"},
        unknown={"root_block_device": True},
        references={"instance_type": ()},
    )
    assert "write root_block_device with volume_type and volume_size" in refusal(one)[0]


def test_a_set_argument_with_an_unknown_value_is_set() -> None:
    """A cache in a group that the same plan makes is paid by the group."""
    member = resource(
        "aws_elasticache_cluster",
        {},
        unknown={"replication_group_id": True},
        references={"replication_group_id": ("aws_elasticache_replication_group.this.id",)},
    )
    alone = resource(
        "aws_elasticache_cluster",
        {"node_type": "cache.t3.micro", "num_cache_nodes": 1},
        "alone",
        unknown={"replication_group_id": True},
        references={"node_type": ()},
    )
    result = priced(member, alone)
    assert [one.reason for one in result.free] == ["its replication group is priced"]
    assert cents(result) == "18.25"


def test_without_configuration_an_unknown_value_is_not_taken_for_unset() -> None:
    one = resource("aws_elasticache_cluster", {}, unknown={"replication_group_id": True})
    assert "replication_group_id: is known only after apply" in refusal(one)[0]


def test_subnets_of_the_same_plan_count_by_zone_and_it_says_so() -> None:
    result = priced(*fixture("create").resources)
    (balancer,) = [one for one in result.priced if one.resource.address == "aws_lb.public"]
    assert str(balancer.components[2].quantity) == "1460"  # two zones
    assert any("aws_lb.public: its subnets are known only after apply" in n for n in result.notes)


def test_subnets_that_no_plan_knows_are_asked_for() -> None:
    one = resource("aws_lb", {"load_balancer_type": "application"}, unknown={"subnets": True})
    assert "subnets: are known only after apply" in refusal(one)[0]
    assert "subnets: are known only after apply" in refusal(one, resource("aws_subnet"))[0]


def test_all_refusals_come_together() -> None:
    first = resource("aws_instance", {}, unknown={"instance_type": True})
    assert len(refusal(first, resource("aws_kms_key"), resource("aws_sns_topic"))) == 3
