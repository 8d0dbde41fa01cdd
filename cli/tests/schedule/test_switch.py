"""Switching what is tagged, against an emulated account."""

from __future__ import annotations

import sys

import pytest
from click.testing import CliRunner, Result

from titanium.errors import TitaniumError
from titanium.main import cli

from .account import OURS, Account

pytestmark = pytest.mark.cloud

DATABASE = OURS | {"Tier": "database"}
APPLICATION = OURS | {"Tier": "application"}
SIZED = APPLICATION | {"ScheduleMin": "1", "ScheduleDesired": "2"}


def schedule(*arguments: str) -> Result:
    extra = ["--poll", "0.05"] if arguments[0] == "now" else []
    return CliRunner().invoke(cli, ["schedule", *arguments, *extra])


def failure(result: Result) -> TitaniumError:
    assert isinstance(result.exception, TitaniumError), (result.output, result.exception)
    return result.exception


class Everything:
    """One of each, and its untagged twin."""

    def __init__(self) -> None:
        self.account = account = Account()
        self.patroni = [account.instance(f"patroni-{n}", DATABASE) for n in (1, 2)]
        self.wireguard = account.instance("wireguard", {"Project": "titanium"})
        self.foreign = account.instance("foreign", {"Schedule": "office-hours", "Tier": "database"})
        account.database("orders", DATABASE)
        account.database("untagged", {"Project": "titanium"})
        account.node_group("apps", APPLICATION)
        account.node_group("system", {"Project": "titanium"})
        account.node_group_schedules("apps")
        account.scaling_group("workers", SIZED)
        account.scaling_group("unscheduled", {"Project": "titanium"})


@pytest.fixture
def everything(aws: str) -> Everything:
    return Everything()


def test_stopping_takes_the_application_first_and_starting_the_database(
    everything: Everything,
) -> None:
    """Everything tagged goes and comes back; what is not tagged stays as it is."""
    account = everything.account
    result = schedule("now", "stop")
    assert result.exit_code == 0, (result.output, result.exception)
    lines = result.output.splitlines()
    assert lines.index("application:") < lines.index("database:")
    assert any("stopped" in line and "node group titanium/apps" in line for line in lines)
    assert [account.instance_state(one) for one in everything.patroni] == ["stopped"] * 2
    assert account.database_state("orders") == "stopped"
    assert account.nodes("apps") == {"minSize": 0, "maxSize": 4, "desiredSize": 0}
    assert account.group_size("workers") == (0, 0)
    untouched(everything)

    result = schedule("now", "start")
    assert result.exit_code == 0, (result.output, result.exception)
    lines = result.output.splitlines()
    assert lines.index("database:") < lines.index("application:")
    assert [account.instance_state(one) for one in everything.patroni] == ["running"] * 2
    assert account.database_state("orders") == "available"
    assert account.nodes("apps") == {"minSize": 0, "maxSize": 4, "desiredSize": 2}
    assert account.group_size("workers") == (1, 2)
    untouched(everything)


def untouched(everything: Everything) -> None:
    account = everything.account
    assert account.instance_state(everything.wireguard) == "running"
    assert account.instance_state(everything.foreign) == "running"
    assert account.database_state("untagged") == "available"
    assert account.nodes("system")["desiredSize"] == 2
    assert account.group_size("unscheduled") == (0, 1)


def test_a_second_stop_finds_nothing_to_do(everything: Everything) -> None:
    """The command may be repeated."""
    assert schedule("now", "stop").exit_code == 0
    again = schedule("now", "stop")
    assert again.exit_code == 0
    assert again.output.count("stopped already") == 5
    assert "  stop: " not in again.output


def test_a_dry_run_lists_the_order_and_changes_nothing(everything: Everything) -> None:
    """The same order that the switch has."""
    result = schedule("now", "stop", "--dry-run")
    assert result.exit_code == 0, (result.output, result.exception)
    tiers = [line.split(":")[0] for line in result.output.splitlines()]
    assert tiers == ["application"] * 2 + ["database"] * 3
    assert everything.account.instance_state(everything.patroni[0]) == "running"
    assert everything.account.nodes("apps")["desiredSize"] == 2
    began = schedule("now", "start", "--dry-run").output
    assert "leave as it is: instance patroni-1 (running)" in began


def test_instances_of_a_group_are_left_to_the_group(everything: Everything) -> None:
    """Stopped by themselves they would be replaced."""
    account = everything.account
    found = account.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=["workers"])
    member = found["AutoScalingGroups"][0]["Instances"][0]["InstanceId"]
    shown = schedule("plan").output
    assert member not in shown
    assert "scaling group workers" in shown


def test_plan_shows_states_schedules_and_what_no_schedule_covers(everything: Everything) -> None:
    """Terraform's schedules and the tags may have come apart."""
    result = schedule("plan", "--at", "2027-01-29T23:00")
    assert result.exit_code == 0, (result.output, result.exception)
    assert "on for 85 of the next 168 hours (50.6%)" in result.output
    assert "titanium/stop-nodes-titanium-apps" in result.output
    assert "cron(0 2 ? * TUE-SAT *), next Sat 2027-01-30 02:00 KST" in result.output
    assert "note: no schedule will stop instance patroni-1" in result.output
    assert "note: no schedule will start node group" not in result.output


def test_a_group_without_a_size_to_come_back_to_stops_nothing(aws: str) -> None:
    """Refused before the first change: what is stopped must be able to start."""
    account = Account()
    instance = account.instance("patroni-1", DATABASE)
    account.node_group("apps", APPLICATION)
    error = failure(schedule("now", "stop"))
    assert error.message == "nobody says to what size node group titanium/apps goes back"
    assert account.instance_state(instance) == "running"
    assert account.nodes("apps")["desiredSize"] == 2


def test_a_resource_without_a_tier_stops_nothing(aws: str) -> None:
    """Its place in the order is not known."""
    account = Account()
    first = account.instance("patroni-1", DATABASE)
    account.instance("odd", OURS | {"Tier": "cache"})
    error = failure(schedule("now", "stop"))
    assert error.message == "instance odd has the tag Tier=cache"
    assert account.instance_state(first) == "running"


def test_two_environments_must_be_told_apart(aws: str) -> None:
    """Nobody stops production because it shares an account with a trial."""
    account = Account()
    first = account.instance("a", DATABASE)
    other = account.instance("b", DATABASE | {"Environment": "production"})
    error = failure(schedule("now", "stop"))
    assert "several environments: production, test" in error.message
    assert schedule("now", "stop", "--environment", "test").exit_code == 0
    assert account.instance_state(first) == "stopped"
    assert account.instance_state(other) == "running"
    missing = failure(schedule("now", "stop", "--environment", "nowhere"))
    assert "there is production, test" in missing.message


def test_nothing_tagged_is_an_error(aws: str) -> None:
    """The wrong region or account must not look like success."""
    Account().instance("alone", {"Project": "titanium"})
    error = failure(schedule("now", "stop"))
    assert "no resource is tagged Project=titanium and Schedule=office-hours" in error.message
    assert error.exit_code == 2


def test_when_a_tier_does_not_follow_the_next_one_is_left_alone(
    everything: Everything, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database stays on under an application that did not stop, and it is all said."""
    from titanium.schedule.groups import NodeGroups

    monkeypatch.setattr(NodeGroups, "stop", lambda self, resource: None)  # AWS takes no notice
    result = schedule("now", "stop", "--timeout", "0.02")
    error = failure(result)
    assert error.exit_code == 3
    assert error.message == "1 of 5 resources did not stop"
    assert any(line.startswith("not stopped: node group titanium/apps") for line in error.details)
    assert "stopped: scaling group workers" in error.details
    assert "not begun: instance patroni-1" in error.details
    assert everything.account.instance_state(everything.patroni[0]) == "running"
    assert everything.account.database_state("orders") == "available"


def test_a_refused_call_is_said_and_the_rest_of_the_tier_goes_on(
    everything: Everything, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One database that AWS refuses to stop does not keep its neighbours on."""
    account = everything.account
    account.database("replica", DATABASE)
    from botocore.exceptions import ClientError

    from titanium.schedule.machines import Databases

    real = Databases.stop

    def refuse(self: Databases, resource: object) -> None:
        if str(resource) == "database replica":
            said = {"Error": {"Code": "InvalidDBInstanceState", "Message": "it is a replica"}}
            raise ClientError(said, "StopDBInstance")  # type: ignore[arg-type]
        real(self, resource)  # type: ignore[arg-type]

    monkeypatch.setattr(Databases, "stop", refuse)
    error = failure(schedule("now", "stop"))
    assert error.exit_code == 3
    assert any("InvalidDBInstanceState: it is a replica" in line for line in error.details)
    assert account.database_state("orders") == "stopped"
    assert [account.instance_state(one) for one in everything.patroni] == ["stopped"] * 2


def test_a_database_that_is_on_its_way_is_waited_for(
    everything: Everything, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AWS refuses to stop what is starting: it is asked when it has arrived."""
    from dataclasses import replace

    from titanium.schedule.machines import Instances
    from titanium.schedule.resources import Resource, State

    real, looks = Instances.look, []

    def booting(self: Instances, resource: Resource) -> Resource:
        looks.append(resource.name)
        found = real(self, resource)
        if looks.count(resource.name) < 3:
            return replace(found, state=State.MOVING, detail="pending", turnable=False)
        return found

    monkeypatch.setattr(Instances, "look", booting)
    result = schedule("now", "stop")
    assert result.exit_code == 0, (result.output, result.exception)
    assert looks.count("patroni-1") >= 4


def test_missing_credentials_region_network_and_boto3_are_one_line_each(
    aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each with its exit status."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    error = failure(schedule("plan"))
    assert error.message.startswith("AWS cannot be reached")
    assert error.exit_code == 1
    assert failure(schedule("plan", "--region", "moon-1")).message == "AWS has no region moon-1"
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert "nobody" in failure(schedule("plan")).message
    monkeypatch.delenv("AWS_PROFILE")
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert failure(schedule("plan")).message == "no AWS region is set"
    monkeypatch.setenv("AWS_REGION", "ap-northeast-2")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    error = failure(schedule("plan"))
    assert error.message == "there are no AWS credentials"
    assert error.exit_code == 2
    monkeypatch.setitem(sys.modules, "boto3", None)
    error = failure(schedule("plan"))
    assert error.exit_code == 7
    assert "boto3 is not installed" in error.message
