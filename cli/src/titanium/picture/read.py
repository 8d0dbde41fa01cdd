"""Reads from `terraform show -json PLAN` what is where in the network.

A plan knows few ids. Which subnets a module is in stands in its configuration: the call of the
module names an output of module network (`subnet_ids = module.network.private_subnet_ids`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from titanium.errors import ConfigurationError

TIERS = ("public", "private", "database")
WORLD = "0.0.0.0/0"
_SUBNETS = re.compile(r"module\.network\.(public|private|database)_subnet_ids?(?:\[(\d+)\])?$")
# Services of the region that are in no subnet: type -> what one and many of them are called.
_BESIDE = {
    "aws_route53_zone": ("Route 53 zone", "Route 53 zones"),
    "aws_route53_health_check": ("health check from outside", "health checks from outside"),
    "aws_acm_certificate": ("certificate", "certificates"),
    "aws_secretsmanager_secret": ("secret", "secrets"),
    "aws_kms_key": ("customer key", "customer keys"),
    "aws_s3_bucket": ("bucket", "buckets"),
    "aws_cloudwatch_log_group": ("log group", "log groups"),
    "aws_scheduler_schedule": ("schedule", "schedules"),
}


@dataclass(frozen=True, slots=True)
class Subnet:
    """One subnet: its tier, zone and block."""

    tier: str
    zone: str
    cidr: str


@dataclass(frozen=True, slots=True)
class Part:
    """Something in the network. `zone` is None where it is in every zone of its tier."""

    key: str
    tier: str
    name: str
    detail: str
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """A rule that lets a network in: who, by which port, to what (the rule's own words)."""

    source: str
    port: str
    what: str


@dataclass(frozen=True, slots=True)
class Network:
    """What a plan makes of the network."""

    name: str
    cidr: str
    subnets: tuple[Subnet, ...]
    parts: tuple[Part, ...]
    ways: tuple[Way, ...]
    beside: tuple[str, ...]
    routes: Mapping[str, str]  # tier -> where everything else goes
    office: str | None = None  # its block, when there is a tunnel to it
    laptops: str | None = None
    ports: Mapping[str, str] = field(default_factory=dict)  # part's key -> ports that others call

    @property
    def zones(self) -> list[str]:
        return sorted({subnet.zone for subnet in self.subnets})


@dataclass(frozen=True, slots=True)
class _Resource:
    address: str
    kind: str
    index: str | int | None
    values: Mapping[str, Any]

    @property
    def module(self) -> str:
        """The root's module that it belongs to; empty for the root's own."""
        found = re.match(r"module\.(\w+)", self.address)
        return found[1] if found else ""


class _Plan:
    def __init__(self, plan: Mapping[str, Any]) -> None:
        try:
            root = plan["planned_values"]["root_module"]
            self.calls: Mapping[str, Any] = plan["configuration"]["root_module"]["module_calls"]
        except (KeyError, TypeError):
            raise ConfigurationError(
                "this is no plan of environment aws: planned_values or module_calls are missing",
                "Make one: terraform plan -out=plan && terraform show -json plan > plan.json",
            ) from None
        self.resources = list(_every(root))
        self.variables = {name: one.get("value") for name, one in plan.get("variables", {}).items()}

    def of(self, kind: str, module: str | None = None) -> list[_Resource]:
        return [
            one
            for one in self.resources
            if one.kind == kind and (module is None or one.module == module)
        ]

    def place(self, module: str, argument: str) -> tuple[str, int | None]:
        """Tier and, if it is one of them, number of the subnets that a module's call names."""
        expression = self.calls.get(module, {}).get("expressions", {}).get(argument, {})
        for reference in expression.get("references", []):
            if found := _SUBNETS.match(reference):
                return found[1], None if found[2] is None else int(found[2])
        raise ConfigurationError(
            f"module {module} names no subnets of module network in {argument}",
            "The picture is of terraform/environments/aws; correct titanium/picture/read.py.",
        )


def _every(module: Mapping[str, Any]) -> Iterator[_Resource]:
    for one in module.get("resources", []):
        if one["mode"] == "managed":
            yield _Resource(one["address"], one["type"], one.get("index"), one.get("values", {}))
    for child in module.get("child_modules", []):
        yield from _every(child)


def read(document: Mapping[str, Any]) -> Network:
    """The network of a plan; ConfigurationError when it is none of environment aws."""
    plan = _Plan(document)
    vpcs = plan.of("aws_vpc")
    if len(vpcs) != 1:
        raise ConfigurationError(
            f"the plan has {len(vpcs)} VPCs: a picture shows one",
            "Plan terraform/environments/aws, from nothing or whole.",
        )
    subnets = tuple(_subnets(plan))
    parts = [*_public(plan, subnets), *_private(plan), *_database(plan), *_cache(plan)]
    tunnel = bool(plan.of("aws_vpn_connection"))
    return Network(
        name=str(vpcs[0].values["tags"]["Name"]),
        cidr=str(vpcs[0].values["cidr_block"]),
        subnets=subnets,
        parts=tuple(parts),
        ways=tuple(_ways(plan)),
        beside=tuple(_beside(plan)),
        routes=_routes(plan),
        office=plan.variables.get("office_cidr") if tunnel else None,
        laptops=plan.variables.get("wireguard_cidr"),
        ports=_ports(plan),
    )


def _subnets(plan: _Plan) -> Iterator[Subnet]:
    for one in plan.of("aws_subnet"):
        found = re.search(r"\.aws_subnet\.(\w+)", one.address)
        if found and found[1] in TIERS:
            yield Subnet(found[1], one.values["availability_zone"], one.values["cidr_block"])


def _public(plan: _Plan, subnets: tuple[Subnet, ...]) -> Iterator[Part]:
    zones = [subnet.zone for subnet in subnets if subnet.tier == "public"]
    for balancer in plan.of("aws_lb", "edge"):
        rules = sum(len(acl.values["rule"]) for acl in plan.of("aws_wafv2_web_acl"))
        tier, _ = plan.place("edge", "public_subnet_ids")
        yield Part(
            "alb",
            tier,
            "application load balancer",
            f"{balancer.values['name']}, {rules} rules of WAF",
        )
    for nat in plan.of("aws_nat_gateway"):
        yield Part("nat", "public", "NAT", "gateway", zones[int(nat.index or 0)])
    for server in plan.of("aws_instance", "vpn"):
        tier, number = plan.place("vpn", "public_subnet_id")
        yield Part(
            "wireguard", tier, "WireGuard", server.values["instance_type"], zones[number or 0]
        )


def _private(plan: _Plan) -> Iterator[Part]:
    tier, _ = plan.place("kubernetes", "subnet_ids")
    for cluster in plan.of("aws_eks_cluster"):
        open_to = cluster.values["vpc_config"][0].get("public_access_cidrs")
        reach = "private endpoint" if not open_to else "private and public endpoint"
        yield Part("api", tier, f"EKS {cluster.values['version']}", reach)
    control = plan.of("aws_instance", "kubernetes")
    if control:
        detail = f"{len(control)} x {control[0].values['instance_type']} behind an NLB"
        yield Part("api", tier, "control plane (kubeadm)", detail)
    for group in (*plan.of("aws_eks_node_group"), *plan.of("aws_autoscaling_group", "kubernetes")):
        yield Part("nodes", tier, f"nodes {group.index}", _size(plan, group))


def _size(plan: _Plan, group: _Resource) -> str:
    if group.kind == "aws_eks_node_group":
        scaling = group.values["scaling_config"][0]
        sizes = scaling["desired_size"], scaling["min_size"], scaling["max_size"]
        types = "/".join(group.values["instance_types"])
    else:
        keys = ("desired_capacity", "min_size", "max_size")
        desired, least, most = (group.values[key] for key in keys)
        sizes = desired, least, most
        templates = plan.of("aws_launch_template", "kubernetes")
        types = next(one.values["instance_type"] for one in templates if one.index == group.index)
    return f"{sizes[0]} x {types} ({sizes[1]} to {sizes[2]})"


def _database(plan: _Plan) -> Iterator[Part]:
    tier, _ = plan.place("database", "subnet_ids")
    if balancers := plan.of("aws_lb", "database"):
        checks = {
            one.index: one.values["health_check"][0]
            for one in plan.of("aws_lb_target_group", "database")
        }
        asked = ", ".join(
            f"{listener.values['port']} to :{check['port']}{check['path']}"
            for listener in sorted(
                plan.of("aws_lb_listener", "database"), key=lambda one: int(one.values["port"])
            )
            if (check := checks.get(listener.index))
        )
        name = "NLB" if balancers[0].values["internal"] else "public NLB"
        yield Part("balancer", tier, f"{name} to PostgreSQL", asked)
    nodes = plan.of("aws_instance", "database")
    if nodes:
        detail = f"{len(nodes)} x {nodes[0].values['instance_type']} in turn over the zones"
        yield Part("database", tier, "Patroni, etcd, PostgreSQL", detail)
    for instance in plan.of("aws_db_instance"):
        zones = "Multi-AZ" if instance.values["multi_az"] else "in one zone"
        yield Part(
            "database", tier, "RDS PostgreSQL", f"{instance.values['instance_class']}, {zones}"
        )


def _cache(plan: _Plan) -> Iterator[Part]:
    for group in plan.of("aws_elasticache_replication_group"):
        tier, _ = plan.place("cache", "subnet_ids")
        count = group.values["num_cache_clusters"]
        yield Part("cache", tier, "ElastiCache (Valkey)", f"{count} x {group.values['node_type']}")


def _ways(plan: _Plan) -> Iterator[Way]:
    """Every rule that names a network, the widest first."""
    rules = [
        one for one in plan.of("aws_vpc_security_group_ingress_rule") if one.values.get("cidr_ipv4")
    ]
    found = {
        (str(one.values["cidr_ipv4"]), _port(one), str(one.values["description"])) for one in rules
    }
    for cidr, port, what in sorted(found, key=lambda one: (one[0] != WORLD, one)):
        yield Way("the internet" if cidr == WORLD else cidr, port, what)


def _port(rule: _Resource) -> str:
    first, last = rule.values["from_port"], rule.values["to_port"]
    span = f"{first}" if first == last else f"{first} to {last}"
    return f"{rule.values['ip_protocol'].upper()} {span}"


def _ports(plan: _Plan) -> dict[str, str]:
    """Ports by which one part calls another, from the rules whose other side is a group."""
    found: dict[str, set[int]] = {}

    def add(key: str, module: str, name: str) -> None:
        for one in plan.of("aws_vpc_security_group_ingress_rule", module):
            if name in one.address and not one.values.get("cidr_ipv4"):
                found.setdefault(key, set()).add(int(one.values["from_port"]))

    add("nodes", "", "ingress_rule.gateway")
    add("balancer", "database", "client[")
    add("cache", "cache", "cache_from_")
    add("api", "kubernetes", "control_plane_from_nodes")
    for listener in plan.of("aws_lb_listener", "edge"):
        found.setdefault("alb", set()).add(int(listener.values["port"]))
    return {key: ", ".join(map(str, sorted(ports))) for key, ports in found.items()}


def _routes(plan: _Plan) -> dict[str, str]:
    routes = dict.fromkeys(TIERS, "no way out")
    for one in plan.of("aws_route", "network"):
        found = re.search(r"\.aws_route\.(public|private|database)_", one.address)
        if found and one.values["destination_cidr_block"] == WORLD:
            routes[found[1]] = "internet gateway" if found[1] == "public" else "NAT gateway"
    return routes


def _beside(plan: _Plan) -> Iterator[str]:
    for kind, (one, many) in _BESIDE.items():
        if count := len(plan.of(kind)):
            yield f"{count} {one if count == 1 else many}"
    services = {
        one.values["service_name"].rpartition(".")[2] for one in plan.of("aws_vpc_endpoint")
    }
    yield from (f"endpoint of {service}" for service in sorted(services))
