"""The source documents' figures come out of the catalogue and the pricing that plans go through."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from cli.tests.cost.support import CATALOG, GP3, NODE, TAGGED, bill, cents, lines, priced, resource
from titanium.cost.catalog import load_catalog
from titanium.cost.explain import figures, render
from titanium.cost.hours import OFFICE_HOURS
from titanium.cost.model import Resource, rounded

pytestmark = pytest.mark.unit

RDS = {
    "engine": "postgres",
    "instance_class": "db.t3.medium",
    "multi_az": True,
    "allocated_storage": 20,
    "storage_type": "gp3",
}


def nodes(kind: str, count: int, **more: object) -> list[Resource]:
    values = {"instance_type": kind, "root_block_device": GP3, **more}
    return [resource("aws_instance", values, f"node[{at}]") for at in range(count)]


def test_131_61_three_instances_with_a_disk() -> None:
    """Rounded by instance, as the documents do; the exact sum is a cent more."""
    result = priced(*nodes("t2.medium", 3))
    assert sum(rounded(one.monthly) for one in result.priced) == Decimal("131.61")
    assert result.total == Decimal("131.616")


def test_73_00_the_control_plane_of_eks() -> None:
    assert cents(bill("aws_eks_cluster")) == "73.00"


def test_438_00_on_extended_support() -> None:
    assert cents(bill("aws_eks_cluster", {"version": "1.30"})) == "438.00"
    kept = {"version": "1.30", "upgrade_policy": [{"support_type": "STANDARD"}]}
    assert cents(bill("aws_eks_cluster", kept)) == "73.00"


def test_69_21_an_own_control_plane() -> None:
    """Three t4g.small with disks, and a balancer with 0.4 capacity units."""
    three = priced(*nodes("t4g.small", 3))
    balancer = bill(
        "aws_lb",
        {"load_balancer_type": "network", "internal": True},
        {"processed_bytes_gb": 292},  # 0.4 GB an hour
    )
    amounts = [rounded(one.monthly) for one in three.priced]
    assert amounts == [Decimal("17.01")] * 3
    assert cents(balancer) == "18.18"
    assert sum(amounts, rounded(balancer.monthly)) == Decimal("69.21")


def test_163_52_rds_without_its_storage_and_168_76_with_it() -> None:
    database = bill("aws_db_instance", RDS)
    assert list(lines(database).values()) == ["163.52", "5.24"]
    assert cents(database) == "168.76"


def test_like_for_like_rds_costs_37_15_more_not_31_91() -> None:
    own, database = Decimal("131.61"), bill("aws_db_instance", RDS)
    hours = database.components[0].cost
    assert hours is not None
    assert hours - own == Decimal("31.91")
    assert database.monthly - own == Decimal("37.15")


def test_69_29_with_the_nightly_stop() -> None:
    """The disks' 5.47 stay whole."""
    result = priced(*nodes("t2.medium", 3, **TAGGED), schedule=OFFICE_HOURS)
    assert cents(result) == "69.29"
    disks = sum(one.components[1].cost or 0 for one in result.priced)
    assert disks == Decimal("5.472")


def test_rds_with_the_nightly_stop_is_above_the_quoted_range() -> None:
    database = bill("aws_db_instance", {**RDS, **TAGGED}, scheduled=True)
    assert list(lines(database).values()) == ["82.73", "5.24"]
    assert cents(database) == "87.97"


def test_50_6_percent_of_the_hours() -> None:
    assert f"{OFFICE_HOURS.share:.1%}" == "50.6%"
    assert f"{OFFICE_HOURS.hours:.1f}" == "369.3"


def test_365_73_before_the_nodes_and_1054_85_with_eight() -> None:
    """The second is a guess of the facts: instances without disks."""
    database = bill("aws_db_instance", RDS).components[0].cost or Decimal(0)
    gateways = priced(*(resource("aws_nat_gateway", {}, f"n{at}") for at in range(3)))
    base = database + bill("aws_eks_cluster").monthly + gateways.total
    assert base == Decimal("365.73")
    node = bill("aws_instance", {**NODE, "instance_type": "m5.large"})
    assert base + 8 * (node.components[0].cost or Decimal(0)) == Decimal("1054.85")


def test_explain_shows_each_figure_with_what_does_not_add_up() -> None:
    text = render(CATALOG)
    for amount in (
        *("$131.61", "$73.00", "$438.00", "$69.21", "$163.52", "$168.76", "$69.29", "50.6%"),
        *("$31.91", "$37.15", "$82.73", "$87.97", "369.3", "$365.73", "$1,054.85", "$131.62"),
    ):
        assert amount in text, amount
    assert all(one.remark and one.how for one in figures(CATALOG))
    assert all(one.quoted == one.found for one in figures(CATALOG) if one.quoted.count(".") == 1)


def test_explain_is_computed_and_not_written_down() -> None:
    """Another price gives another figure."""
    dear = replace(CATALOG.prices["ec2.t2.medium"], usd=Decimal(1))
    other = replace(load_catalog(), prices={**CATALOG.prices, "ec2.t2.medium": dear})
    assert figures(other)[0].found == "$2,195.46"
