"""Makes the JSON of these tests with the real Terraform; nothing is asked of AWS.

`python -m cli.tests.cost.make_fixtures` in the checkout rewrites fixtures/*.json; a test compares
them when Terraform and the AWS provider are here.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from titanium.terraform import Terraform, terraform_in

FIXTURES = Path(__file__).parent / "fixtures"
SOURCE = FIXTURES / "platform"
# An image that is replaced, a node and the logs that go.
CHANGED = ("-var=image=ami-87654321", "-var=database_nodes=2", "-var=logs=false")
_PROVIDER = 'provider["registry.terraform.io/hashicorp/aws"]'


def make() -> dict[str, str]:
    """File name -> content: a plan from nothing, the state after it, a plan that changes it."""
    with tempfile.TemporaryDirectory(prefix="ti-cost-") as name:
        place = Path(name) / "platform"
        shutil.copytree(SOURCE, place)
        terraform = terraform_in(place, Path(name) / "data")
        terraform.run("init", "-input=false", "-no-color")
        create = _planned(terraform, "-state=none.tfstate")
        (place / "made.tfstate").write_text(json.dumps(_state(create)))
        state = json.loads(terraform.run("show", "-json", "made.tfstate"))
        change = _planned(terraform, "-refresh=false", "-state=made.tfstate", *CHANGED)
    documents = {"create.json": create, "state.json": state, "change.json": change}
    return {
        file: json.dumps(_trimmed(one), indent=1, sort_keys=True) + "\n"
        for file, one in documents.items()
    }


def _planned(terraform: Terraform, *options: str) -> dict[str, Any]:
    terraform.run("plan", "-input=false", "-no-color", "-out=plan", *options)
    plan: dict[str, Any] = json.loads(terraform.run("show", "-json", "plan"))
    return plan


def _state(plan: Mapping[str, Any]) -> dict[str, Any]:
    """The state file that applying a plan would leave, as far as the plan knows."""
    grouped: dict[tuple[str, str, str], dict[str, Any]] = {}
    for module, one in _resources(plan["planned_values"]["root_module"]):
        place = (module, one["type"], one["name"])
        entry = grouped.setdefault(
            place,
            {
                "mode": "managed",
                "type": one["type"],
                "name": one["name"],
                "provider": _PROVIDER,
                "instances": [],
                **({"module": module} if module else {}),
            },
        )
        attributes = {"id": _id(one["type"], one.get("index")), **_computed(one)}
        index = {"index_key": one["index"]} if "index" in one else {}
        entry["instances"].append(
            {"schema_version": one["schema_version"], "attributes": attributes, **index}
        )
    return {
        "version": 4,
        "terraform_version": plan["terraform_version"],
        "serial": 1,
        "lineage": "made-for-tests",
        "outputs": {},
        "resources": list(grouped.values()),
    }


def _id(kind: str, index: object = None) -> str:
    prefix = "lt" if kind == "aws_launch_template" else kind  # the provider looks at this one
    return prefix if index is None else f"{prefix}-{index}"


def _computed(one: Mapping[str, Any]) -> dict[str, Any]:
    """Its values with those that the plan could not know: what it refers to."""
    values, role = dict(one["values"]), "arn:aws:iam::000000000000:role/node"
    subnets = [_id("aws_subnet", "a"), _id("aws_subnet", "c")]
    known: dict[str, dict[str, Any]] = {
        "aws_iam_role": {"arn": role},
        "aws_subnet": {"vpc_id": _id("aws_vpc")},
        "aws_nat_gateway": {"allocation_id": _id("aws_eip"), "subnet_id": subnets[0]},
        "aws_instance": {"subnet_id": subnets[0]},
        "aws_lb": {"internal": False, "subnets": subnets},
        "aws_eks_cluster": {"role_arn": role},
        "aws_eks_node_group": {"node_role_arn": role, "subnet_ids": subnets},
    }
    if one["type"] == "aws_eks_cluster":
        values["vpc_config"] = [{**values["vpc_config"][0], "subnet_ids": subnets}]
    if one["type"] == "aws_eks_node_group":
        template = _id("aws_launch_template", one["index"])
        values["launch_template"] = [{**values["launch_template"][0], "id": template}]
    return {**known.get(one["type"], {}), **values}


def _resources(module: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for one in module.get("resources", []):
        if one["mode"] == "managed":
            yield module.get("address", ""), one
    for child in module.get("child_modules", []):
        yield from _resources(child)


def _trimmed(value: Any) -> Any:
    """Without what no reader of these files looks at, and what differs from run to run."""
    dropped = {
        *("sensitive_values", "before_sensitive", "after_sensitive", "before", "after"),
        *("timestamp", "relevant_attributes", "resource_drift", "outputs", "output_changes"),
    }
    if isinstance(value, dict):
        kept = ((key, one) for key, one in value.items() if key not in dropped)
        return {key: _trimmed(one) for key, one in kept if one is not None}
    return [_trimmed(one) for one in value] if isinstance(value, list) else value


if __name__ == "__main__":
    for file, text in make().items():
        (FIXTURES / file).write_text(text, "utf-8")
