"""What keeps data: databases, caches, buckets, logs, secrets; and the control plane of EKS."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from titanium.cost.pricing.bill import IN_CONFIGURATION, Bill

_STANDARD_SUPPORT = "STANDARD"
_SOON = timedelta(days=90)
_FREE_INSIGHTS = Decimal(7)  # days
# What gp3 of RDS includes: from 400 GB on it is striped over four volumes.
_LARGE, _LARGE_IOPS, _SMALL_IOPS = Decimal(400), Decimal(12_000), Decimal(3_000)


def eks_cluster(bill: Bill) -> None:
    """On extended support, the control plane costs six times as much."""
    version, policy = bill.text("version"), bill.text("upgrade_policy", 0, "support_type")
    last = _end_of_standard_support(bill, version)
    over, kept = last is not None and last < bill.today, policy == _STANDARD_SUPPORT
    if last is not None and last - bill.today < _SOON:
        then = "AWS upgrades it" if kept else "the control plane costs the extended price"
        bill.note(
            f"{bill.resource.address}: Kubernetes {version} {'left' if over else 'leaves'} "
            f"standard support on {last}; then {then}"
        )
    if bill.get("compute_config", 0, "enabled"):
        bill.refuse("compute_config", "nodes of EKS Auto Mode are in no plan", "use node groups")
    if bill.blocks("remote_network_config"):
        bill.refuse("remote_network_config", "hybrid nodes are in no plan", "use node groups")
    kind = "extended" if over and not kept else "standard"
    bill.per_hour(f"Control plane ({kind} support)", f"eks.cluster.{kind}", "version")


def _end_of_standard_support(bill: Bill, version: str) -> date | None:
    """Its last day; None while nobody knows it: no version is set, or it is a newer one."""
    known = bill.catalog.eks_standard_support
    if not version or version in known:
        return known.get(version)
    try:
        number, oldest = _numbers(version), min(known, key=_numbers, default="")
        return known[oldest] if oldest and number < _numbers(oldest) else None
    except ValueError:
        bill.refuse("version", f"{version!r} is no version of Kubernetes", "such as 1.35")


def _numbers(version: str) -> tuple[int, ...]:
    """`1.30` after `1.9`."""
    return tuple(int(part) for part in version.split("."))


def database(bill: Bill) -> None:
    engine = bill.text("engine", default="")
    kind = bill.text("instance_class")
    if not kind:
        bill.refuse("instance_class", "is not set", IN_CONFIGURATION)
    option = "multi" if bill.get("multi_az") else "single"
    storage = bill.text("storage_type", default="gp2")
    if storage not in ("gp2", "gp3"):
        bill.refuse("storage_type", f"{storage} has no price", "gp2 and gp3 have")
    size = bill.number("allocated_storage")
    zones = "Multi-AZ" if option == "multi" else "one zone"
    bill.per_hour(
        f"Database ({engine}, {kind}, {zones})",
        f"rds.{engine}.{kind}.{option}",
        "instance_class",
        stops=True,
    )
    bill.per_month(
        f"Storage ({storage}, {zones})", f"rds.storage.{option}", "storage_type", size, "GB"
    )
    included = _LARGE_IOPS if size >= _LARGE else _SMALL_IOPS
    more = bill.number("iops", default=included) - included
    if more > 0:
        bill.per_month("IOPS", f"rds.iops.{option}", "iops", more, "IOPS")
    if bill.get("manage_master_user_password"):
        bill.per_month("Secret of its master user", "secret", "manage_master_user_password", 1)
    if bill.get("performance_insights_enabled"):
        days = bill.number("performance_insights_retention_period", default=_FREE_INSIGHTS)
        if days > _FREE_INSIGHTS:
            where = "performance_insights_retention_period"
            bill.per_month("Performance Insights", "rds.performance-insights", where, 1)
    if bill.runs_by_schedule:
        bill.note(
            f"{bill.resource.address}: RDS starts by itself after seven days of standing still; "
            "a stop every night stays below that, holidays do not"
        )


def cache_cluster(bill: Bill) -> str | None:
    if bill.is_set("replication_group_id"):
        return "its replication group is priced"
    _cache_nodes(bill, bill.number("num_cache_nodes", default=Decimal(1)))
    return None


def cache_group(bill: Bill) -> None:
    if bill.get("num_cache_clusters") is None:
        groups = bill.number("num_node_groups", default=Decimal(1))
        replicas = bill.number("replicas_per_node_group", default=Decimal(0))
        nodes = groups * (replicas + 1)
    else:
        nodes = bill.number("num_cache_clusters")
    _cache_nodes(bill, nodes)


def _cache_nodes(bill: Bill, nodes: Decimal) -> None:
    engine = bill.text("engine", default="redis")
    if engine not in ("redis", "valkey"):
        bill.refuse("engine", f"{engine} has no price", "redis and valkey have")
    if engine == "valkey":
        bill.note("ElastiCache for Valkey is priced as Redis, which costs more")
    kind = bill.text("node_type")
    bill.per_hour(f"Cache ({engine}, {kind})", f"elasticache.{kind}", "node_type", count=nodes)


def bucket(bill: Bill) -> None:
    bill.per_use("Storage (standard)", "s3.standard", "standard", "storage_gb")
    for name, key, path, each in (
        ("Requests that write or list", "s3.put", "monthly_tier_1_requests", 1_000),
        ("Requests that read", "s3.get", "monthly_tier_2_requests", 10_000),
    ):
        bill.per_use(name, key, "standard", path, unit=f"{each // 1000}k requests", each=each)


def log_group(bill: Bill) -> None:
    kind = bill.text("log_group_class", default="STANDARD")
    if kind != "STANDARD":
        bill.refuse("log_group_class", f"{kind} has no price", "STANDARD has")
    bill.per_use("Data ingested", "logs.ingest", "monthly_data_ingested_gb")
    bill.per_use("Storage", "logs.store", "storage_gb")


def secret(bill: Bill) -> None:
    bill.per_month("Secret", "secret", "name", 1)
    for _ in range(bill.blocks("replica")):
        bill.per_month("Replica", "secret", "replica", 1)
    bill.per_use("Calls", "secret.calls", "monthly_requests", unit="10k requests", each=10_000)


def parameter(bill: Bill) -> str | None:
    tier = bill.text("tier", default="Standard")
    if tier == "Standard":
        return "standard parameters cost nothing"
    bill.per_month(f"Parameter ({tier})", f"ssm.{tier.lower()}", "tier", 1)
    return None


def certificate(bill: Bill) -> str | None:
    authority = "certificate_authority_arn"
    if not bill.get(authority):
        return "public certificates cost nothing"
    bill.per_month("Private certificate", "acm.private", authority, 1)
    return None
