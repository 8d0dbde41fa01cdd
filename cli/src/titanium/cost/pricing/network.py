"""What carries traffic: NAT, load balancers, addresses, VPN, web ACL, DNS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from titanium.cost.model import HOURS_A_MONTH, Component, objects
from titanium.cost.pricing.bill import IN_CONFIGURATION, Bill

# One capacity unit: new connections a second (by kind), active ones a minute, GB an hour, rules.
_NEW = {"application": Decimal(25), "network": Decimal(800)}
_ACTIVE = {"application": Decimal(3000), "network": Decimal(100_000)}
_RULES = Decimal(1000)
# Rule groups of AWS that cost a subscription on top.
_DEAR_GROUPS = ("BotControl", "ATPRuleSet", "ACFPRuleSet", "AntiDDoS")
_TEN_TB, _FIFTY_TB = Decimal(10 * 1024), Decimal(50 * 1024)
# Each of the two tunnels of a connection has a public address.
_TUNNELS = 2


def nat_gateway(bill: Bill) -> None:
    bill.per_hour("NAT gateway", "nat.hour", "connectivity_type")
    bill.per_use("Data processed", "nat.gb", "monthly_data_processed_gb")


def address(bill: Bill) -> None:
    bill.per_hour("Public IPv4 address", "ipv4.hour", "domain")


def vpn_connection(bill: Bill) -> None:
    gateway = "transit_gateway_id"
    if bill.is_set(gateway):
        bill.refuse(gateway, "a transit gateway has no price", "use a VPN gateway")
    if bill.get("enable_acceleration"):
        bill.per_hour("Acceleration", "vpn.acceleration", "enable_acceleration")
    bill.per_hour("VPN connection", "vpn.hour", "type")
    bill.per_hour("Public IPv4 addresses of its tunnels", "ipv4.hour", "type", count=_TUNNELS)


def load_balancer(bill: Bill) -> None:
    kind = bill.text("load_balancer_type", default="application")
    short = {"application": "alb", "network": "nlb"}.get(kind)
    if short is None:
        bill.refuse("load_balancer_type", f"{kind} has no price", "application and network have")
    bill.per_hour(f"{kind.capitalize()} load balancer", f"{short}.hour", "load_balancer_type")
    units = _capacity_units(bill, kind)
    price = bill.price(f"{short}.lcu", "usage processed_bytes_gb")
    bill.components.append(
        Component(
            "Capacity units",
            "NLCU-hours" if short == "nlb" else "LCU-hours",
            price,
            None if units is None else units * HOURS_A_MONTH,
        )
    )
    _public_addresses(bill)


def _capacity_units(bill: Bill, kind: str) -> Decimal | None:
    """The largest of the dimensions, as AWS bills; gigabytes are a month's, as in Infracost."""
    found = (
        (bill.used("new_connections"), _NEW[kind]),
        (bill.used("active_connections"), _ACTIVE[kind]),
        (bill.used("processed_bytes_gb"), HOURS_A_MONTH),
        (bill.used("rule_evaluations"), _RULES),
    )
    units = [used / one for used, one in found if used is not None]
    return max(units) if units else None


def _public_addresses(bill: Bill) -> None:
    """One in each zone of a load balancer that the internet reaches."""
    if bill.get("internal") or bill.text("ip_address_type").endswith("without-public-ipv4"):
        return
    mapped = bill.blocks("subnet_mapping")
    own = [
        at
        for at in range(mapped)
        if bill.is_open("subnet_mapping", at, "allocation_id")
        or bill.get("subnet_mapping", at, "allocation_id")
    ]
    zones = mapped - len(own) if mapped else _subnets(bill)
    if zones:
        bill.per_hour("Public IPv4 addresses", "ipv4.hour", "subnets", count=zones)


def _subnets(bill: Bill) -> int:
    """How many subnets it is in; when they are made by the same plan, by those that it names."""
    known = bill.resource.values.get("subnets")
    if isinstance(known, list) and known:
        return len(known)
    unknown = bill.resource.unknown
    count = unknown.get("subnets") if isinstance(unknown, dict) else None
    if isinstance(count, list) and count:
        return len(count)
    subnets = [other.values for other in bill.others.values() if other.type == "aws_subnet"]
    public = [values for values in subnets if values.get("map_public_ip_on_launch")]
    zones = {str(values.get("availability_zone") or "") for values in public or subnets}
    if not zones or "" in zones:
        bill.refuse("subnets", "are known only after apply", IN_CONFIGURATION)
    bill.note(
        f"{bill.resource.address}: its subnets are known only after apply; counted in each of the "
        f"plan's {len(zones)} zones"
    )
    return len(zones)


def web_acl(bill: Bill) -> None:
    if bill.is_set("rule_json"):
        bill.refuse("rule_json", "rules in JSON are not counted", "write them as rule blocks")
    rules = bill.blocks("rule")
    for at in range(rules):
        for group in _managed_groups(bill.get("rule", at)):
            if any(dear in group for dear in _DEAR_GROUPS):
                bill.per_month(f"Subscription ({group})", f"waf.{group}", f"rule[{at}]", 1)
    bill.per_month("Web ACL", "waf.acl", "scope", 1)
    if rules:
        bill.per_month("Rules and rule groups", "waf.rule", "rule", rules, "rules")
    bill.per_use(
        "Requests", "waf.million-requests", "monthly_requests", unit="1M requests", each=1_000_000
    )


def rule_group(bill: Bill) -> None:
    bill.per_month("Rules", "waf.rule", "rule", bill.blocks("rule"), "rules")


def _managed_groups(rule: Any) -> Iterator[str]:
    for statement in objects(rule.get("statement") if isinstance(rule, Mapping) else None):
        for group in objects(statement.get("managed_rule_group_statement")):
            yield str(group.get("name"))


def zone(bill: Bill) -> None:
    bill.per_month("Hosted zone", "route53.zone", "name", 1)


def health_check(bill: Bill) -> None:
    """An endpoint is taken for one outside AWS, the dearer one, unless usage says `aws`."""
    kind = bill.text("type")
    where = bill.used_text("endpoint_type", "non_aws")
    if kind in ("CALCULATED", "CLOUDWATCH_METRIC"):
        where = "aws"
    key = {"aws": "aws", "non_aws": "other"}.get(where)
    if key is None:
        bill.refuse("usage endpoint_type", f"{where!r} is unknown", "give aws or non_aws")
    bill.per_month("Health check", f"route53.health-check.{key}", "type", 1)
    extras = {
        ("HTTPS", "type"): kind.startswith("HTTPS"),
        ("text", "search_string"): kind.endswith("STR_MATCH"),
        ("fast", "request_interval"): bill.number("request_interval", default=Decimal(30)) < 30,
        ("latency", "measure_latency"): bill.get("measure_latency") is True,
    }
    for (what, attribute), extra in extras.items():
        if extra:
            bill.per_month(f"Optional feature ({what})", f"route53.option.{key}", attribute, 1)


def endpoint(bill: Bill) -> str | None:
    """Gateways to S3 and DynamoDB cost nothing; interfaces do, by hour, zone and GB."""
    kind = bill.text("vpc_endpoint_type", default="Gateway")
    if kind == "Gateway":
        bill.used("monthly_data_processed_gb")  # free as well
        return "gateway endpoints cost nothing"
    key = "vpc-endpoint" if kind == "Interface" else f"vpc-endpoint.{kind}"
    zones = _subnets_of_endpoint(bill)
    bill.per_hour(f"Endpoint ({kind})", f"{key}.hour", "vpc_endpoint_type", count=zones)
    bill.per_use("Data processed", f"{key}.gb", "monthly_data_processed_gb")
    return None


def _subnets_of_endpoint(bill: Bill) -> int:
    if bill.is_open("subnet_ids"):
        return _subnets(bill)
    return len(bill.get("subnet_ids") or ()) or 1


def transfer(bill: Bill) -> None:
    """`aws_data_transfer` of the usage file: no resource, but on the invoice."""
    bill.used_text("region", bill.catalog.region)
    out = bill.used("monthly_outbound_internet_gb")
    if out is not None:
        for name, key, low, high in (
            ("first 10 TB", "first-10-tb", Decimal(0), _TEN_TB),
            ("next 40 TB", "next-40-tb", _TEN_TB, _FIFTY_TB),
            ("beyond 50 TB", "more", _FIFTY_TB, out),
        ):
            part = min(out, high) - low
            if part > 0:
                full = f"transfer.internet.{key}"
                where = "usage monthly_outbound_internet_gb"
                bill.per_month(f"To the internet ({name})", full, where, part, "GB")
    if bill.used("monthly_intra_region_gb") is not None:
        # Both sides pay; as Infracost does, one figure is given for both.
        bill.per_use("Between zones", "transfer.zones", "monthly_intra_region_gb", times=2)
