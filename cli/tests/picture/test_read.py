"""What a plan says of the network. plan.json is profile light's, cut down to what is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from titanium.errors import ConfigurationError
from titanium.picture.read import Network, read

pytestmark = pytest.mark.unit

PLAN = Path(__file__).with_name("plan.json")


def plan() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(PLAN.read_text("utf-8"))
    return document


def module(document: dict[str, Any], name: str) -> dict[str, Any]:
    """A module of the root, by name."""
    children = document["planned_values"]["root_module"]["child_modules"]
    return next(
        child
        for child in children
        if child["resources"][0]["address"].startswith(f"module.{name}.")
    )


def resource(address: str, values: dict[str, Any], index: str | int | None = None) -> Any:
    kind = next(part for part in address.split(".") if part.startswith("aws_")).split("[")[0]
    return {
        "address": address, "mode": "managed", "type": kind, "index": index, "values": values
    }  # fmt: skip


def part(network: Network, key: str) -> Any:
    return next(one for one in network.parts if one.key == key)


def test_subnets_have_a_tier_a_zone_and_a_block() -> None:
    network = read(plan())
    assert network.cidr == "10.0.0.0/16"
    assert network.zones == ["ap-northeast-2a", "ap-northeast-2b", "ap-northeast-2c"]
    assert len(network.subnets) == 9
    assert {subnet.tier for subnet in network.subnets} == {"public", "private", "database"}


def test_parts_are_where_the_modules_calls_put_them() -> None:
    document = plan()
    assert part(read(document), "database").tier == "database"
    calls = document["configuration"]["root_module"]["module_calls"]
    references = ["module.network.public_subnet_ids", "module.network"]
    calls["database"]["expressions"]["subnet_ids"] = {"references": references}
    assert part(read(document), "database").tier == "public"


def test_nat_and_wireguard_are_in_their_zone() -> None:
    network = read(plan())
    assert part(network, "nat").zone == "ap-northeast-2a"
    assert part(network, "wireguard").zone == "ap-northeast-2a"
    assert part(network, "alb").zone is None


def test_the_database_says_how_its_leader_is_found() -> None:
    network = read(plan())
    assert part(network, "balancer").detail == "5432 to :8008/primary, 5433 to :8008/replica"
    assert part(network, "database").detail.startswith("3 x t4g.medium")


def test_rds_is_drawn_where_it_is_the_database() -> None:
    document = plan()
    values = {"instance_class": "db.t3.medium", "multi_az": True}
    module(document, "database")["resources"] = [
        resource("module.database.aws_db_instance.this[0]", values, 0)
    ]
    network = read(document)
    assert part(network, "database").detail == "db.t3.medium, Multi-AZ"
    assert "balancer" not in {one.key for one in network.parts}


def test_a_control_plane_of_our_own_is_drawn_in_the_place_of_eks() -> None:
    document = plan()
    address = "module.kubernetes.aws_instance.control_plane"
    group = {"desired_capacity": 3, "min_size": 1, "max_size": 5}
    module(document, "kubernetes")["resources"] = [
        *(resource(f"{address}[{i}]", {"instance_type": "t4g.small"}, i) for i in range(3)),
        resource('module.kubernetes.aws_autoscaling_group.worker["application"]', group, "web"),
        resource(
            'module.kubernetes.aws_launch_template.worker["application"]',
            {"instance_type": "t4g.large"},
            "web",
        ),
    ]
    network = read(document)
    assert part(network, "api").detail == "3 x t4g.small behind an NLB"
    assert part(network, "nodes").detail == "3 x t4g.large (1 to 5)"


def test_rules_that_let_a_network_in_are_told_the_widest_first() -> None:
    document = plan()
    before = read(document).ways
    assert [way.port for way in before if way.source == "the internet"] == [
        "TCP 443",
        "TCP 80",
        "UDP 51820",
    ]
    values = {
        "cidr_ipv4": "0.0.0.0/0",
        "ip_protocol": "tcp",
        "from_port": 22,
        "to_port": 23,
        "description": "a hole",
    }
    rule = resource("aws_vpc_security_group_ingress_rule.hole", values)
    document["planned_values"]["root_module"]["resources"].append(rule)
    assert "TCP 22 to 23" in [way.port for way in read(document).ways[:4]]


def test_without_a_tunnel_there_is_no_office() -> None:
    document = plan()
    assert read(document).office == "172.16.4.0/24"
    vpn = module(document, "vpn")
    vpn["resources"] = [
        one for one in vpn["resources"] if one["type"] != "aws_vpn_connection"
    ]  # fmt: skip
    assert read(document).office is None


def test_a_tier_without_a_default_route_has_no_way_out() -> None:
    document = plan()
    assert read(document).routes["database"] == "NAT gateway"
    network = module(document, "network")
    network["resources"] = [
        one for one in network["resources"] if "aws_route.database" not in one["address"]
    ]
    assert read(document).routes["database"] == "no way out"


def test_what_is_no_plan_of_it_is_refused_in_words() -> None:
    with pytest.raises(ConfigurationError, match="this is no plan of environment aws"):
        read({})
    document = plan()
    network = module(document, "network")
    network["resources"] = [one for one in network["resources"] if one["type"] != "aws_vpc"]
    with pytest.raises(ConfigurationError, match="has 0 VPCs"):
        read(document)


def test_a_module_in_subnets_of_another_kind_is_refused_in_words() -> None:
    document = plan()
    calls = document["configuration"]["root_module"]["module_calls"]
    calls["database"]["expressions"]["subnet_ids"] = {"references": ["var.subnets"]}
    with pytest.raises(ConfigurationError, match="module database names no subnets"):
        read(document)
