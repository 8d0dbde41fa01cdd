"""The catalogue is what its source says, and says where it is not."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from cli.tests.cost.support import CATALOG, fixture, priced, resource
from titanium.cost.catalog import DEFAULT_REGION, load_catalog, regions
from titanium.cost.estimate import UnpricedError
from titanium.cost.pricing import PRICERS
from titanium.errors import EXIT_UNPRICED, ConfigurationError

pytestmark = pytest.mark.unit

# The source's table, as it stands there; "derived" only where it says so or a neighbour was used.
SOURCE = {
    "ec2.t2.micro": "0.0144",
    "ec2.t2.small": "0.0288",
    "ec2.t2.medium": "0.0576",
    "ec2.t2.large": "0.1152",
    "ec2.t3.micro": "0.013",
    "ec2.t3.small": "0.026",
    "ec2.t3.medium": "0.052",
    "ec2.t3.large": "0.104",
    "ec2.t4g.medium": "0.0416",
    "ec2.m5.large": "0.118",
    "ebs.gp2": "0.114",
    "ebs.gp3": "0.0912",
    "nat.hour": "0.059",
    "nat.gb": "0.059",
    "eks.cluster.standard": "0.10",
    "eks.cluster.extended": "0.60",
    "nlb.hour": "0.0225",
    "nlb.lcu": "0.006",
    "alb.hour": "0.0225",
    "alb.lcu": "0.008",
    "rds.storage.single": "0.131",
    "rds.storage.multi": "0.262",
    "elasticache.cache.t3.micro": "0.025",
    "elasticache.cache.t3.small": "0.049",
    "elasticache.cache.t3.medium": "0.099",
    "elasticache.cache.t4g.micro": "0.024",
    "waf.acl": "5.00",
    "waf.rule": "1.00",
    "waf.million-requests": "0.60",
    "route53.zone": "0.50",
    "route53.health-check.aws": "0.50",
    "route53.health-check.other": "0.75",
    "ipv4.hour": "0.005",
    "s3.standard": "0.025",
    "s3.put": "0.0045",
    "s3.get": "0.0035",
    "logs.ingest": "0.76",
    "logs.store": "0.0314",
    "transfer.internet.first-10-tb": "0.126",
    "transfer.internet.next-40-tb": "0.122",
    "transfer.zones": "0.01",
    "secret": "0.40",
    "secret.calls": "0.05",
}
DERIVED = {
    "ec2.t4g.small": "0.0208",
    "ec2.t4g.large": "0.0832",
    "ec2.m5.xlarge": "0.236",
    "vpn.hour": "0.05",
    "rds.postgres.db.t3.medium.single": "0.112",
    "rds.postgres.db.t3.medium.multi": "0.224",
}


def test_every_price_is_the_sources_or_says_how_it_was_derived() -> None:
    found = {key: one.usd for key, one in CATALOG.prices.items()}
    assert found == {key: Decimal(usd) for key, usd in (SOURCE | DERIVED).items()}
    assert {key for key, one in CATALOG.prices.items() if one.derived} == set(DERIVED)


def test_derived_sizes_are_multiples_of_their_neighbour() -> None:
    price = {key: one.usd for key, one in CATALOG.prices.items()}
    assert price["ec2.t4g.small"] * 2 == price["ec2.t4g.medium"] == price["ec2.t4g.large"] / 2
    assert price["ec2.m5.xlarge"] == price["ec2.m5.large"] * 2


def test_it_has_a_date_and_a_source() -> None:
    assert CATALOG.name == f"{DEFAULT_REGION}, 2026-10-01"
    assert "price list" in CATALOG.source
    assert regions() == [DEFAULT_REGION]


def test_prices_of_more_than_a_year_ago_are_told() -> None:
    old = priced(resource("aws_eip"), today=date(2027, 10, 3)).notes
    assert "these prices are of 2026-10-01: AWS may ask for something else by now" in old
    assert not [note for note in priced(resource("aws_eip")).notes if "by now" in note]


def test_a_derived_price_is_told_where_it_is_used() -> None:
    result = priced(resource("aws_vpn_connection"))
    assert "price vpn.hour: the price of us-east-1" in result.notes


def test_nothing_is_free_and_priced_and_every_reason_is_given() -> None:
    assert [kind for kind in PRICERS if CATALOG.why_free(kind)] == []
    assert all(len(reason) > 4 for reason in CATALOG.free.values())


def test_free_types_are_listed_with_their_reason() -> None:
    result = priced(resource("aws_subnet"), resource("aws_route"))
    assert result.total == 0
    assert [one.reason for one in result.free] == ["part of a VPC", "part of a route table"]


def test_an_unknown_type_ends_the_run_and_says_what_to_add() -> None:
    with pytest.raises(UnpricedError) as caught:
        priced(resource("aws_kms_key"), resource("aws_subnet"), resource("aws_sagemaker_domain"))
    assert caught.value.exit_code == EXIT_UNPRICED
    assert "2 resources have no price" in caught.value.message
    first, second = caught.value.details
    assert first.startswith("aws_kms_key.this (aws_kms_key), type: is neither priced nor declared")
    assert '"type.aws_kms_key" = { usd = "...", per = "month" }' in first
    assert "aws_sagemaker_domain.this" in second


def test_a_size_without_price_names_address_attribute_and_key() -> None:
    values = {"instance_type": "x9.huge", "root_block_device": [{"volume_size": 8}]}
    with pytest.raises(UnpricedError) as caught:
        priced(resource("aws_instance", values))
    (line,) = caught.value.details
    assert "aws_instance.this (aws_instance), instance_type" in line
    assert 'no price "ec2.x9.huge"' in line


def test_prices_of_ones_own_come_first(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(
        '[prices]\n"type.aws_kms_key" = { usd = "1.00", per = "month" }\n'
        '"type.aws_hour" = { usd = "0.1", per = "hour" }\n'
        '"nat.hour" = { usd = "0.05", per = "hour" }\n[free]\naws_eip = "we brought it"\n'
    )
    catalog = load_catalog(additions=file)
    kinds = ("aws_kms_key", "aws_hour", "aws_nat_gateway", "aws_eip")
    result = priced(*(resource(kind) for kind in kinds), catalog=catalog)
    assert [str(one.monthly) for one in result.priced] == ["1.00", "73.0", "36.50"]
    assert [one.reason for one in result.free] == ["we brought it"]
    assert "price type.aws_kms_key: from own.toml" in result.notes


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[prices\n", "not valid TOML"),
        ("[price]\n", "price: unknown key"),
        ('[prices]\n"a" = { per = "hour" }\n', "missing"),
        ('[prices]\n"a" = { usd = "-1", per = "hour" }\n', "usd"),
        ('[prices]\n"a" = { usd = "cheap", per = "hour" }\n', "usd"),
    ],
)
def test_a_wrong_file_is_named_with_its_key(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "own.toml"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        load_catalog(additions=file)
    assert str(file) in caught.value.message
    assert says in caught.value.message


def test_a_region_without_prices_is_refused_with_those_that_have() -> None:
    with pytest.raises(ConfigurationError, match="no prices for region eu-west-1; known: ap-no"):
        load_catalog("eu-west-1")


def test_the_plans_of_these_tests_have_no_surprise() -> None:
    """Every type in them is priced or free."""
    for name in ("create", "state", "change"):
        for one in fixture(name).resources:
            assert one.type in PRICERS or CATALOG.why_free(one.type), one.type
