"""Usage files are Infracost's, and a wrong one is refused with file, entry and reason."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from cli.tests.cost.support import cents, fixture, priced, resource
from titanium.cost.estimate import UnpricedError
from titanium.cost.usage import Usage, load_usage, matches
from titanium.errors import ConfigurationError

pytestmark = pytest.mark.unit


def load(folder: Path, text: str) -> Usage:
    file = folder / "infracost-usage.yml"
    file.write_text(text)
    return load_usage(file)


def test_the_resources_own_entry_wins_then_wildcards_then_the_type(tmp_path: Path) -> None:
    usage = load(
        tmp_path,
        """
version: 0.1
resource_type_default_usage:
  aws_instance:
    monthly_hrs: 100
    operating_system: linux
resource_usage:
  aws_instance.node[1]:
    monthly_hrs: 300
  aws_instance.node[*]:
    monthly_hrs: 200
""",
    )
    assert usage.of("aws_instance.node[1]", "aws_instance") == {
        "monthly_hrs": Decimal(300),
        "operating_system": "linux",
    }
    assert usage.of("aws_instance.node[0]", "aws_instance")["monthly_hrs"] == 200
    assert usage.of("aws_instance.other", "aws_instance")["monthly_hrs"] == 100
    assert usage.of("aws_eip.a", "aws_eip") == {}


@pytest.mark.parametrize(
    ("like", "address", "fits"),
    [
        ("aws_instance.a[*]", "aws_instance.a[12]", True),
        ("aws_instance.a[*]", 'aws_instance.a["x"]', True),
        ("aws_instance.a[*]", 'aws_instance.a["x.y\\"]"]', True),
        ("aws_instance.a[*]", "aws_instance.a", False),
        ("aws_instance.a[*]", "aws_instance.ab[1]", False),
        ("module.m[*].aws_instance.a[*]", 'module.m["k"].aws_instance.a[0]', True),
        ("module.m[*].aws_instance.a", "module.m[0].aws_instance.a", True),
        ("module.m[*].aws_instance.a", "module.m[0].module.n[0].aws_instance.a", False),
        ("aws_instance.a[*]", "aws_instance.a[0].x[1]", False),
    ],
)
def test_a_star_stands_for_one_index(like: str, address: str, fits: bool) -> None:
    assert matches(like, address) is fits


def test_it_reaches_resources_inside_modules(tmp_path: Path) -> None:
    node = "module.database.aws_instance.node[*]"
    text = f"version: 0.1\nresource_usage:\n  {node}:\n    monthly_hrs: 0\n"
    usage = load(tmp_path, text)
    plan = fixture("create").resources
    assert priced(*plan).total - priced(*plan, usage=usage).total == Decimal("126.144")


def test_monthly_hrs_leaves_the_disks_whole(tmp_path: Path) -> None:
    values = {
        "instance_type": "t2.medium",
        "root_block_device": [{"volume_type": "gp3", "volume_size": 20}],
    }
    text = "version: '0.1'\nresource_type_default_usage:\n  aws_instance:\n    monthly_hrs: 100\n"
    assert cents(priced(resource("aws_instance", values), usage=load(tmp_path, text))) == "7.58"


def test_an_entry_for_nothing_is_told(tmp_path: Path) -> None:
    text = (
        "version: 0.1\nresource_usage:\n  aws_nat_gateway.gone:\n    monthly_data_processed_gb: 1\n"
    )
    result = priced(resource("aws_eip"), usage=load(tmp_path, text))
    note = "infracost-usage.yml: aws_nat_gateway.gone is no resource of this plan"
    assert note in result.notes


def test_a_misspelt_key_is_refused_with_those_that_are_priced(tmp_path: Path) -> None:
    text = (
        "version: 0.1\nresource_usage:\n  aws_nat_gateway.this:\n    monthly_data_procesed_gb: 1\n"
    )
    with pytest.raises(UnpricedError) as caught:
        priced(resource("aws_nat_gateway"), usage=load(tmp_path, text))
    assert "monthly_data_procesed_gb: has no price, or is misspelt" in caught.value.details[0]
    assert "monthly_data_processed_gb, monthly_hrs" in caught.value.details[0]


def test_defaults_for_types_that_are_not_there_do_no_harm(tmp_path: Path) -> None:
    """Infracost's own files of defaults list every type it knows."""
    text = """
version: 0.1
resource_type_default_usage:
  aws_lambda_function:
    monthly_requests: 25000000
  aws_nat_gateway:
    monthly_data_processed_gb: 111
  aws_eip:
resource_usage:
"""
    result = priced(resource("aws_nat_gateway"), usage=load(tmp_path, text))
    assert cents(result) == "49.62"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("version: 0.1\nresource_usage:\n\t- x", "not valid YAML, line 3"),
        ("- a\n- b", "does not begin with `version: 0.1`"),
        ("", "does not begin with `version: 0.1`"),
        ("resource_usage: {}", "version is missing, and 0.1 is understood"),
        ("version: 0.2", "version is 0.2, and 0.1 is understood"),
        ("version: 0.1\nresource_uses: {}", "unknown key resource_uses"),
        ("version: 0.1\nresource_usage: [1]", "resource_usage is no list of names"),
        ("version: 0.1\nresource_usage:\n  a.b: 7", "resource_usage.a.b has no keys"),
        ("version: 0.1\nresource_usage:\n  a.b: {c: [1]}", "resource_usage.a.b.c is [1]; a number"),
        ("version: 0.1\nresource_usage:\n  a.b: {c: true}", "c is True; a number was expected"),
        ("version: 0.1\nresource_usage:\n  a.b: {c: -1}", "c is -1; usage is from 0 to"),
        ("version: 0.1\nresource_usage:\n  a.b: {c: 1.0e+30}", "c is 1e+30; usage is from 0 to"),
        ("version: 0.1\nresource_usage:\n  a.b: {c: .nan}", "c is nan; usage is from 0 to"),
        ("version: 0.1\nresource_usage:\n  a.b: {c: {d: .inf}}", "c.d is inf; usage is from 0 to"),
        ("version: 0.1\nresource_usage:\n  a.b: {c: 1}\n  a.b: {c: 2}", "a.b stands twice"),
        ("version: 0.1\nresource_usage: !!python/object:os.x {}", "not valid YAML"),
    ],
)
def test_a_malformed_file_is_refused_in_one_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, text)
    assert says in caught.value.message
    assert "infracost-usage.yml" in caught.value.message
    assert "\n" not in caught.value.message


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_usage(tmp_path / "none.yml")
