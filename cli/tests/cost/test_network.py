"""NAT, load balancers, addresses, VPN, web ACL, DNS, transfer."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cli.tests.cost.support import bill, cents, lines, numbers, priced, resource
from titanium.cost.estimate import UnpricedError
from titanium.cost.usage import Usage

pytestmark = pytest.mark.unit


def refused(kind: str, values: dict[str, Any], **used: Any) -> str:
    with pytest.raises(UnpricedError) as caught:
        bill(kind, values, used)
    return caught.value.details[0]


def test_nat_pays_hours_and_gigabytes() -> None:
    assert lines(bill("aws_nat_gateway")) == {"NAT gateway": "43.07", "Data processed": None}
    assert cents(bill("aws_nat_gateway", {}, {"monthly_data_processed_gb": 100})) == "48.97"


def test_an_address_and_a_vpn_connection() -> None:
    assert cents(bill("aws_eip")) == "3.65"
    assert lines(bill("aws_vpn_connection")) == {
        "VPN connection": "36.50",
        "Public IPv4 addresses of its tunnels": "7.30",
    }
    fast = {"enable_acceleration": True}
    assert '"vpn.acceleration"' in refused("aws_vpn_connection", fast)
    assert "transit gateway" in refused("aws_vpn_connection", {"transit_gateway_id": "tgw-1"})


def test_a_balancer_pays_for_public_addresses_by_zone() -> None:
    public = {"load_balancer_type": "application", "subnets": ["a", "b", "c"]}
    assert lines(bill("aws_lb", public)) == {
        "Application load balancer": "16.43",
        "Capacity units": None,
        "Public IPv4 addresses": "10.95",
    }
    assert cents(bill("aws_lb", {**public, "internal": True})) == "16.43"
    without = {**public, "ip_address_type": "dualstack-without-public-ipv4"}
    assert cents(bill("aws_lb", without)) == "16.43"


def test_addresses_of_ones_own_are_priced_where_they_are_made() -> None:
    mapping = [{"allocation_id": "eipalloc-1"}, {"subnet_id": "b"}]
    values = {"load_balancer_type": "network", "subnet_mapping": mapping}
    assert lines(bill("aws_lb", values))["Public IPv4 addresses"] == "3.65"
    both = {**values, "subnet_mapping": [{"allocation_id": "a"}, {"allocation_id": "b"}]}
    assert "Public IPv4 addresses" not in lines(bill("aws_lb", both))


@pytest.mark.parametrize(
    ("kind", "used", "units"),
    [
        ("application", {"new_connections": 25}, "1"),
        ("application", {"active_connections": 6000}, "2"),
        ("application", {"processed_bytes_gb": 365}, "0.5"),
        ("application", {"rule_evaluations": 3000, "new_connections": 25}, "3"),
        ("network", {"new_connections": 800}, "1"),
        ("network", {"active_connections": 50_000}, "0.5"),
    ],
)
def test_the_largest_dimension_makes_the_capacity_units(
    kind: str, used: dict[str, int], units: str
) -> None:
    one = bill("aws_lb", {"load_balancer_type": kind, "internal": True}, used)
    assert one.components[1].quantity == Decimal(units) * 730


def test_other_balancers_are_refused() -> None:
    assert "gateway has no price" in refused("aws_lb", {"load_balancer_type": "gateway"})


def test_a_web_acl_pays_for_itself_its_rules_and_requests() -> None:
    managed = [{"managed_rule_group_statement": [{"name": "AWSManagedRulesSQLiRuleSet"}]}]
    values = {"rule": [{"statement": managed}, {"statement": [{"rate_based_statement": [{}]}]}]}
    assert lines(bill("aws_wafv2_web_acl", values, {"monthly_requests": 2_000_000})) == {
        "Web ACL": "5.00",
        "Rules and rule groups": "2.00",
        "Requests": "1.20",
    }
    assert "rules in JSON are not counted" in refused("aws_wafv2_web_acl", {"rule_json": "[]"})
    assert cents(bill("aws_wafv2_rule_group", {"rule": [{}, {}, {}]})) == "3.00"


def test_a_rule_group_with_a_subscription_is_refused() -> None:
    statement = [{"managed_rule_group_statement": [{"name": "AWSManagedRulesBotControlRuleSet"}]}]
    said = refused("aws_wafv2_web_acl", {"rule": [{"statement": statement}]})
    assert '"waf.AWSManagedRulesBotControlRuleSet"' in said


def test_zones_and_health_checks() -> None:
    assert cents(bill("aws_route53_zone")) == "0.50"
    check = {"type": "TCP"}
    assert cents(bill("aws_route53_health_check", check)) == "0.75"
    assert cents(bill("aws_route53_health_check", check, {"endpoint_type": "aws"})) == "0.50"
    assert cents(bill("aws_route53_health_check", {"type": "CALCULATED"})) == "0.50"
    said = refused("aws_route53_health_check", check, endpoint_type="moon")
    assert "'moon' is unknown" in said


@pytest.mark.parametrize(
    "extra",
    [
        {"type": "HTTPS"},
        {"type": "HTTP_STR_MATCH"},
        {"request_interval": 10},
        {"measure_latency": True},
    ],
)
def test_optional_features_of_a_health_check_are_not_free(extra: dict[str, Any]) -> None:
    assert '"route53.option.other"' in refused("aws_route53_health_check", {"type": "TCP", **extra})


def test_gateway_endpoints_are_free_and_interfaces_are_not() -> None:
    gateway = resource("aws_vpc_endpoint", {"vpc_endpoint_type": "Gateway"})
    assert priced(gateway).free[0].reason == "gateway endpoints cost nothing"
    usage = Usage("u", {"aws_vpc_endpoint": numbers({"monthly_data_processed_gb": 9})})
    assert priced(gateway, usage=usage).total == 0
    values = {"vpc_endpoint_type": "Interface", "subnet_ids": ["a", "b"]}
    assert '"vpc-endpoint.hour"' in refused("aws_vpc_endpoint", values)
    other = {**values, "vpc_endpoint_type": "GatewayLoadBalancer"}
    assert '"vpc-endpoint.GatewayLoadBalancer.hour"' in refused("aws_vpc_endpoint", other)


def transfer(**used: float) -> Usage:
    return Usage("u.yml", {}, {"aws_data_transfer.out": numbers({"region": "x", **used})})


def test_transfer_is_on_the_bill_without_a_resource() -> None:
    result = priced(usage=transfer(monthly_outbound_internet_gb=100, monthly_intra_region_gb=50))
    assert lines(result.priced[0]) == {
        "To the internet (first 10 TB)": "12.60",
        "Between zones": "1.00",
    }


def test_transfer_is_tiered_and_beyond_the_tiers_refused() -> None:
    result = priced(usage=transfer(monthly_outbound_internet_gb=20 * 1024))
    assert list(lines(result.priced[0]).values()) == ["1290.24", "1249.28"]
    with pytest.raises(UnpricedError) as caught:
        priced(usage=transfer(monthly_outbound_internet_gb=60 * 1024))
    assert '"transfer.internet.more"' in caught.value.details[0]


def test_an_estimate_without_transfer_says_so() -> None:
    missing = "data transfer to the internet and between zones is not included"
    assert any(missing in note for note in priced(resource("aws_eip")).notes)
    assert not any(
        missing in note for note in priced(usage=transfer(monthly_intra_region_gb=1)).notes
    )
