"""What `terraform show -json` writes is read whole: addresses, modules, actions, unknown values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.tests.cost.support import FIXTURES, cents, fixture, priced
from titanium.cost.documents import is_plan_file, parse, read_text
from titanium.cost.model import ROOT
from titanium.errors import EXIT_USAGE, ConfigurationError

pytestmark = pytest.mark.unit


def test_every_instance_of_count_and_for_each_has_its_address() -> None:
    addresses = {one.address for one in fixture("create").resources}
    assert {f"module.database.aws_instance.node[{at}]" for at in range(3)} <= addresses
    assert 'aws_eks_node_group.this["large"]' in addresses
    assert 'module.network.aws_subnet.public["a"]' in addresses


def test_resources_belong_to_their_module() -> None:
    groups = {one.address: one.group for one in fixture("create").resources}
    assert groups["module.network.aws_nat_gateway.this"] == "network"
    assert groups["aws_eks_cluster.this"] == ROOT


def test_nested_modules_with_indexes_count_for_the_outermost() -> None:
    values = {
        "root_module": {
            "child_modules": [
                {
                    "address": 'module.edge["a.b"]',
                    "child_modules": [
                        {
                            "address": 'module.edge["a.b"].module.inner[0]',
                            "resources": [
                                {"address": "x.aws_eip.a", "type": "aws_eip", "values": {}}
                            ],
                        }
                    ],
                }
            ]
        }
    }
    (one,) = parse(json.dumps({"format_version": "1.0", "values": values}), "s").resources
    assert one.group == "edge"


def test_data_is_read_and_not_paid() -> None:
    text = read_text(FIXTURES / "create.json")
    assert "data.aws_iam_policy_document" in text
    assert not [one for one in fixture("create").resources if one.address.startswith("data.")]


def test_actions_are_counted_and_only_what_will_be_there_is_priced() -> None:
    """Deleted resources are gone, replaced and unchanged ones there once."""
    change = fixture("change")
    addresses = [one.address for one in change.resources]
    assert dict(change.actions) == {"delete": 2, "replace": 6, "update": 4, "no-op": 7}
    assert len(addresses) == len(set(addresses))
    assert "module.database.aws_instance.node[2]" not in addresses
    assert "module.database.aws_instance.node[1]" in addresses
    assert "aws_cloudwatch_log_group.this[0]" not in addresses
    assert change.before is not None
    assert len(change.before) == len(addresses) + 2


def test_a_plan_and_the_state_after_it_cost_the_same() -> None:
    """Launch templates are found by reference in one, by id in the other."""
    plan, state = fixture("create"), fixture("state")
    assert cents(priced(*plan.resources)) == cents(priced(*state.resources)) == "448.61"


def test_an_empty_state_costs_nothing() -> None:
    document = parse('{"format_version": "1.0"}', "state")
    assert document.resources == ()
    assert priced(*document.resources).total == 0


def test_the_region_is_the_providers() -> None:
    assert fixture("create").regions == {"ap-northeast-2"}
    provider: dict[str, Any] = {"name": "aws", "expressions": {"region": {"constant_value": "x"}}}
    plan = {
        "format_version": "1.2",
        "planned_values": {},
        "configuration": {"provider_config": {"aws": provider, "helm": {"name": "helm"}}},
    }
    assert parse(json.dumps(plan), "p").regions == {"x"}


def test_the_region_may_be_left_to_the_environment() -> None:
    assert parse('{"planned_values": {}, "configuration": {}}', "p").regions == frozenset()


def test_the_region_of_a_state_is_that_of_its_arns() -> None:
    arns = ("arn:aws:ec2:eu-west-1:1:instance/i-1", "arn:aws:iam::1:role/x", "", "nonsense")
    resources = [
        {"address": f"aws_x.a{at}", "type": "aws_x", "values": {"arn": arn}}
        for at, arn in enumerate(arns)
    ]
    state = {"format_version": "1.0", "values": {"root_module": {"resources": resources}}}
    assert parse(json.dumps(state), "s").regions == {"eu-west-1"}


def test_an_earlier_object_on_its_way_out_does_not_stand_for_the_resource() -> None:
    change = {"address": "aws_eip.a", "mode": "managed", "type": "aws_eip"}
    plan = {
        "planned_values": {},
        "resource_changes": [
            {**change, "change": {"actions": ["no-op"]}},
            {**change, "deposed": "abc", "change": {"actions": ["delete"]}},
        ],
    }
    assert dict(parse(json.dumps(plan), "p").actions) == {"no-op": 1}


def test_an_incomplete_plan_is_told() -> None:
    assert "not complete" in parse('{"planned_values": {}, "complete": false}', "p").notes[0]
    assert fixture("create").notes == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("   \n", "is empty"),
        ("{", "not JSON (Expecting property name enclosed in double quotes at line 1, column 2)"),
        ("[1]", "no plan and no state"),
        ("7", "no plan and no state"),
        ('{"hello": 1}', "no plan and no state"),
        ("[" * 100_000, "nested too deeply"),
        ('{"values": ' + "1" * 5000 + "}", "a number without end"),
        ('{"format_version": "2.0", "planned_values": {}}', "format_version 2.0"),
        ('{"version": 4, "serial": 1, "lineage": "x", "resources": []}', "raw state file"),
        ('{"planned_values": {}, "errored": true}', "a plan that failed"),
        ('{"planned_values": {"root_module": []}}', "a module is not an object"),
        ('{"planned_values": {"root_module": {"resources": {}}}}', "a list of objects"),
        ('{"planned_values": {"root_module": {"resources": [1]}}}', "a list of objects"),
        ('{"planned_values": {"root_module": {"resources": [{}]}}}', "no address or type"),
        (
            '{"values":{"root_module":{"resources":[{"address":"a","type":"b","values":1}]}}}',
            "a: its values are no object",
        ),
    ],
)
def test_bad_documents_are_refused_in_one_line(text: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse(text, "plan.json")
    assert says in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint
    assert caught.value.exit_code == EXIT_USAGE


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        read_text(tmp_path / "none.json")
    with pytest.raises(ConfigurationError, match="Is a directory"):
        read_text(tmp_path)
    (tmp_path / "binary").write_bytes(b"PK\x03\x04\xff\xfe")
    with pytest.raises(ConfigurationError, match="is not text"):
        read_text(tmp_path / "binary")


def test_what_plan_out_writes_is_known_by_its_beginning() -> None:
    assert is_plan_file(b"PK\x03\x04\xff\xfe")
    assert not is_plan_file(b'{"format_version": "1.0"}')
    assert not is_plan_file(b"")
