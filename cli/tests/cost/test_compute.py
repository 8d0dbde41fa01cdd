"""Instances, disks, node groups, groups of instances."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cli.tests.cost.support import CATALOG, GP3, NODE, bill, cents, lines, priced, resource
from titanium.cost.catalog import load_catalog
from titanium.cost.estimate import UnpricedError

pytestmark = pytest.mark.unit

TEMPLATE = {
    "id": "lt-1",
    "name": "node",
    "instance_type": "t3.large",
    "block_device_mappings": [{"ebs": [{"volume_type": "gp3", "volume_size": 30}]}],
}
GROUP: dict[str, Any] = {
    "launch_template": [{"id": "lt-1"}],
    "scaling_config": [{"desired_size": 2, "min_size": 0, "max_size": 5}],
}


def refused(kind: str, values: dict[str, Any], **used: Any) -> str:
    with pytest.raises(UnpricedError) as caught:
        bill(kind, values, used)
    return caught.value.details[0]


def test_an_instance_pays_hours_and_every_disk() -> None:
    values = {
        **NODE,
        "ebs_block_device": [{"volume_type": "gp2", "volume_size": 100}, {"volume_size": 10}],
        "associate_public_ip_address": True,
    }
    assert lines(bill("aws_instance", values)) == {
        "Instance (Linux, on demand, t2.medium)": "42.05",
        "Root disk (gp3)": "1.82",
        "Disk 0 (gp2)": "11.40",
        "Disk 1 (gp2)": "1.14",
        "Public IPv4 address": "3.65",
    }


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"tenancy": "dedicated"}, "tenancy: dedicated has no prices"),
        ({"monitoring": True}, '"ec2.detailed-monitoring"'),
        ({"instance_market_options": [{"market_type": "spot"}]}, "spot prices change"),
        ({"instance_type": None}, "instance_type: is not set"),
        ({"root_block_device": [{"volume_type": "io2", "volume_size": 8}]}, '"ebs.io2"'),
        ({"root_block_device": [{"volume_type": "gp3"}]}, "volume_size: is not set"),
        ({"root_block_device": [{"volume_size": "big"}]}, "'big' is no number"),
        ({"root_block_device": [{"volume_size": -1}]}, "-1 is no amount"),
        ({"root_block_device": [{"volume_size": "1e99"}]}, "1e99 is no amount"),
        ({"root_block_device": [{**GP3[0], "iops": 4000}]}, '"ebs.gp3.iops"'),
        ({"root_block_device": [{**GP3[0], "throughput": 250}]}, '"ebs.gp3.throughput"'),
    ],
)
def test_what_has_no_price_is_refused_by_attribute(values: dict[str, Any], says: str) -> None:
    assert says in refused("aws_instance", {**NODE, **values})


def test_what_gp3_includes_costs_nothing_more() -> None:
    disk = {**GP3[0], "iops": 3000, "throughput": 125}
    assert cents(bill("aws_instance", {**NODE, "root_block_device": [disk]})) == "43.87"


@pytest.mark.parametrize(
    ("used", "says"),
    [
        ({"operating_system": "windows"}, "windows has no prices"),
        ({"monthly_cpu_credit_hrs": 20}, "usage monthly_cpu_credit_hrs: has no price"),
        ({"reserved_instance_term": "1_year"}, "usage reserved_instance_term"),
        ({"monthly_hrs": 745}, "745 h; a month has 744 at most"),
        ({"monthly_hrs": "many"}, "'many' is no number"),
    ],
)
def test_usage_that_has_no_price_is_refused(used: dict[str, Any], says: str) -> None:
    assert says in refused("aws_instance", dict(NODE), **used)


def test_an_instance_may_come_from_a_template() -> None:
    one = resource("aws_instance", {"launch_template": [{"name": "node"}]})
    result = priced(one, resource("aws_launch_template", TEMPLATE))
    assert cents(result) == "78.66"  # 75.92 + 30 GB


def test_a_volume() -> None:
    assert cents(bill("aws_ebs_volume", {"type": "gp3", "size": 100})) == "9.12"
    assert cents(bill("aws_ebs_volume", {"size": 100})) == "11.40"
    assert '"ebs.st1"' in refused("aws_ebs_volume", {"type": "st1", "size": 500})


def test_a_node_group_pays_for_the_wanted_size() -> None:
    group = resource("aws_eks_node_group", GROUP)
    (one,) = priced(group, resource("aws_launch_template", TEMPLATE)).priced
    assert lines(one) == {
        "Instance (Linux, on demand, t3.large)": "151.84",
        "Disk 0 (gp3)": "5.47",
    }


def test_a_node_group_without_template_has_the_defaults_of_eks() -> None:
    values = {"scaling_config": [{"desired_size": 1}]}
    assert lines(bill("aws_eks_node_group", values)) == {
        "Instance (Linux, on demand, t3.medium)": "37.96",
        "Disks (gp2, the default of EKS)": "2.28",
    }
    assert cents(bill("aws_eks_node_group", {**values, "disk_size": 50})) == "43.66"


def test_usage_decides_the_number_of_nodes() -> None:
    values = {"scaling_config": [{"desired_size": 1}], "instance_types": ["t3.small"]}
    assert cents(bill("aws_eks_node_group", values, {"instances": 2.5})) == "53.15"


def test_an_empty_node_group_costs_nothing() -> None:
    assert cents(bill("aws_eks_node_group", {"scaling_config": [{"desired_size": 0}]})) == "0.00"


def test_spot_nodes_are_refused() -> None:
    values = {"scaling_config": [{"desired_size": 1}], "capacity_type": "SPOT"}
    assert "capacity_type: SPOT has no fixed price" in refused("aws_eks_node_group", values)
    spot = resource("aws_launch_template", {**TEMPLATE, "instance_market_options": [{}]})
    with pytest.raises(UnpricedError) as caught:
        priced(resource("aws_eks_node_group", GROUP), spot)
    assert "instance_market_options: spot prices change" in caught.value.details[0]


def test_a_template_from_elsewhere_is_refused() -> None:
    assert "the template is not part of this plan" in refused("aws_eks_node_group", GROUP)


def test_a_template_is_found_by_reference_and_index_before_anything_is_applied() -> None:
    more: dict[str, Any] = {
        "unknown": {"launch_template": [{"id": True}]},
        "references": {
            "launch_template": (
                "module.k.each.key",
                "module.k.aws_launch_template.node",
                "module.k.aws_launch_template.node.id",
            )
        },
    }
    from titanium.cost.model import Resource

    values = {"launch_template": [{}], "scaling_config": [{"desired_size": 1}]}
    group = Resource(
        'module.k.aws_eks_node_group.this["b"]', "aws_eks_node_group", "module.k", values, **more
    )
    templates = [
        Resource(
            f'module.k.aws_launch_template.node["{key}"]',
            "aws_launch_template",
            "module.k",
            {**TEMPLATE, "id": None, "instance_type": kind},
        )
        for key, kind in (("a", "t3.large"), ("b", "t3.small"))
    ]
    (one,) = priced(*templates, group).priced
    assert "Instance (Linux, on demand, t3.small)" in lines(one)


def test_detailed_monitoring_of_a_template_is_seen() -> None:
    watched = resource("aws_launch_template", {**TEMPLATE, "monitoring": [{"enabled": True}]})
    with pytest.raises(UnpricedError) as caught:
        priced(resource("aws_eks_node_group", GROUP), watched)
    assert '"ec2.detailed-monitoring"' in caught.value.details[0]


def test_public_addresses_of_a_template_are_seen() -> None:
    public = {**TEMPLATE, "network_interfaces": [{"associate_public_ip_address": "true"}]}
    group = resource("aws_eks_node_group", GROUP)
    (one,) = priced(group, resource("aws_launch_template", public)).priced
    assert lines(one)["Public IPv4 addresses"] == "7.30"


def test_a_price_that_was_missing_is_billed_once_it_is_there(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(
        '[prices]\n"ebs.gp3.iops" = { usd = "0.0057", per = "IOPS-month" }\n'
        '"ebs.io2" = { usd = "0.1278", per = "GB-month" }\n'
        '"ebs.io2.iops" = { usd = "0.0666", per = "IOPS-month" }\n'
    )
    own = load_catalog(additions=file)
    fast = resource("aws_ebs_volume", {"type": "gp3", "size": 100, "iops": 4000})
    dear = resource("aws_ebs_volume", {"type": "io2", "size": 100, "iops": 1000}, "dear")
    result = priced(fast, dear, catalog=own)
    assert [cents(one) for one in result.priced] == ["14.82", "79.38"]


def test_a_group_of_instances() -> None:
    group = {"launch_template": [{"id": "lt-1"}], "min_size": 1, "desired_capacity": 3}
    template = resource("aws_launch_template", TEMPLATE)
    assert cents(priced(resource("aws_autoscaling_group", group), template)) == "235.97"
    fewer = {**group, "desired_capacity": None}
    assert cents(priced(resource("aws_autoscaling_group", fewer), template)) == "78.66"
    bare = resource("aws_launch_template", {**TEMPLATE, "block_device_mappings": []})
    with pytest.raises(UnpricedError, match="1 resource has no price"):
        priced(resource("aws_autoscaling_group", group), bare)
    assert "only groups of a launch template" in refused("aws_autoscaling_group", {"min_size": 1})


def test_the_catalogue_has_the_sizes_of_both_profiles() -> None:
    for kind in ("t4g.medium", "t4g.large", "m5.xlarge"):
        assert CATALOG.find(f"ec2.{kind}")
