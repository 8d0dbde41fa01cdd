"""A schedule reduces what can be stopped and carries its tag, and nothing else."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cli.tests.cost.support import NODE, TAGGED, bill, fixture, priced, resource
from titanium.commands.cost import SCHEDULES as OFFERED
from titanium.cost.hours import OFFICE_HOURS, SCHEDULES
from titanium.cost.model import Priced
from titanium.schedule.cron import START, STOP, ZONE, parse

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[3]


def hours(one: Priced) -> Decimal | None:
    return one.components[0].quantity


def test_the_command_offers_what_there_is() -> None:
    assert set(OFFERED) == set(SCHEDULES)


def test_tagged_instances_are_reduced_and_their_disks_are_not() -> None:
    one = bill("aws_instance", {**NODE, **TAGGED}, scheduled=True)
    assert hours(one) == OFFICE_HOURS.hours
    assert one.components[1].quantity == 20


@pytest.mark.parametrize(
    "tags", [{}, {"tags": None}, {"tags": {"Schedule": "always"}}, {"tags": {"Other": "x"}}]
)
def test_untagged_ones_run_on(tags: dict[str, Any]) -> None:
    assert hours(bill("aws_instance", {**NODE, **tags}, scheduled=True)) == 730


def test_without_the_option_a_tag_changes_nothing() -> None:
    assert hours(bill("aws_instance", {**NODE, **TAGGED})) == 730


def test_tags_of_the_provider_count() -> None:
    values = {**NODE, "tags_all": {"Schedule": "office-hours"}}
    assert hours(bill("aws_instance", values, scheduled=True)) == OFFICE_HOURS.hours


def test_tags_of_a_group_of_instances_are_blocks() -> None:
    template = {
        "id": "lt-1",
        "instance_type": "t3.small",
        "block_device_mappings": [{"ebs": [{"volume_size": 10}]}],
    }
    group = {
        "launch_template": [{"id": "lt-1"}],
        "min_size": 1,
        "tag": [{"key": "Schedule", "value": "office-hours"}],
    }
    resources = resource("aws_autoscaling_group", group), resource("aws_launch_template", template)
    (one,) = priced(*resources, schedule=OFFICE_HOURS).priced
    assert hours(one) == OFFICE_HOURS.hours


def test_usage_of_ones_own_wins_over_the_schedule() -> None:
    one = bill("aws_instance", {**NODE, **TAGGED}, {"monthly_hrs": 500}, scheduled=True)
    assert hours(one) == 500


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("aws_eks_cluster", {}),
        ("aws_nat_gateway", {}),
        ("aws_lb", {"internal": True}),
        ("aws_vpn_connection", {}),
        ("aws_eip", {}),
        ("aws_elasticache_replication_group", {"node_type": "cache.t4g.micro"}),
    ],
)
def test_what_cannot_be_stopped_counts_whole_and_it_says_so(
    kind: str, values: dict[str, Any]
) -> None:
    one = resource(kind, {**values, **TAGGED})
    result = priced(one, schedule=OFFICE_HOURS)
    assert result.total == priced(one).total
    assert any(f"{kind}.this has tag" in note and "counts whole" in note for note in result.notes)


def test_rds_starts_by_itself_and_it_says_so() -> None:
    values = {
        "engine": "postgres",
        "instance_class": "db.t3.medium",
        "allocated_storage": 20,
        **TAGGED,
    }
    result = priced(resource("aws_db_instance", values), schedule=OFFICE_HOURS)
    assert hours(result.priced[0]) == OFFICE_HOURS.hours
    assert any("RDS starts by itself after seven days" in note for note in result.notes)


def test_a_whole_plan() -> None:
    """Three nodes of the database and two node groups are tagged."""
    plan = fixture("create").resources
    result = priced(*plan, schedule=OFFICE_HOURS)
    saved = priced(*plan).total - result.total
    nodes = 3 * Decimal("0.0576") + 2 * Decimal("0.026") + Decimal("0.104")
    assert saved == nodes * (730 - OFFICE_HOURS.hours)
    assert any("for 5 tagged resources; disks" in note for note in result.notes)


def test_a_schedule_that_nothing_is_tagged_for_is_told() -> None:
    result = priced(resource("aws_nat_gateway"), schedule=OFFICE_HOURS)
    assert "no resource has tag Schedule=office-hours: the schedule changes nothing" in result.notes


def test_the_hours_are_those_of_the_environments_schedule() -> None:
    """cron(0 9 ? * MON-FRI *) to cron(0 2 ? * TUE-SAT *): five times from 9 to 2 o'clock."""
    text = (ROOT / "terraform" / "environments" / "aws" / "variables.tf").read_text()
    assert re.findall(r'"(cron\(.+\))"', text) == [START, STOP]
    assert f'"{ZONE}"' in text
    start, stop = (parse(one) for one in (START, STOP))
    assert (start.weekdays, stop.weekdays) == ("2,3,4,5,6", "3,4,5,6,7")
    assert OFFICE_HOURS.hours_a_week == 85 == 5 * (24 - start.hours[0] + stop.hours[0])
    assert OFFICE_HOURS.words == (
        f"Monday to Friday from {start.hours[0]:02}:00 to {stop.hours[0]:02}:00, {ZONE}"
    )
