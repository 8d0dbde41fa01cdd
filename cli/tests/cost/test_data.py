"""Databases, caches, buckets, logs, secrets."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from cli.tests.cost.support import bill, cents, lines, priced, resource
from titanium.cost.estimate import UnpricedError

pytestmark = pytest.mark.unit

RDS: dict[str, Any] = {
    "engine": "postgres",
    "instance_class": "db.t3.medium",
    "allocated_storage": 50,
}


def refused(kind: str, values: dict[str, Any], **used: Any) -> str:
    with pytest.raises(UnpricedError) as caught:
        bill(kind, values, used)
    return caught.value.details[0]


def test_a_database_in_one_zone_costs_half() -> None:
    assert cents(bill("aws_db_instance", RDS)) == "88.31"
    assert cents(bill("aws_db_instance", {**RDS, "multi_az": True})) == "176.62"


def test_a_master_password_in_secrets_manager_is_a_secret_more() -> None:
    one = bill("aws_db_instance", {**RDS, "manage_master_user_password": True})
    assert lines(one)["Secret of its master user"] == "0.40"


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"engine": "mysql"}, '"rds.mysql.db.t3.medium.single"'),
        ({"instance_class": "db.r6g.large"}, '"rds.postgres.db.r6g.large.single"'),
        ({"instance_class": ""}, "instance_class: is not set"),
        ({"storage_type": "io1"}, "io1 has no price"),
        ({"allocated_storage": None}, "allocated_storage: is not set"),
        ({"storage_type": "gp3", "iops": 4000}, '"rds.iops.single"'),
        (
            {"performance_insights_enabled": True, "performance_insights_retention_period": 93},
            '"rds.performance-insights"',
        ),
    ],
)
def test_other_databases_are_refused_by_attribute(values: dict[str, Any], says: str) -> None:
    assert says in refused("aws_db_instance", {**RDS, **values})


def test_backups_beyond_the_included_size_are_refused() -> None:
    said = refused("aws_db_instance", RDS, additional_backup_storage_gb=20)
    assert "usage additional_backup_storage_gb: has no price" in said


def test_a_week_of_performance_insights_is_free() -> None:
    values = {**RDS, "performance_insights_enabled": True}
    assert cents(bill("aws_db_instance", values)) == "88.31"


def test_caches_pay_by_node() -> None:
    one = {"node_type": "cache.t3.small", "num_cache_nodes": 2}
    assert cents(bill("aws_elasticache_cluster", one)) == "71.54"
    group = {"node_type": "cache.t4g.micro", "num_node_groups": 2, "replicas_per_node_group": 1}
    assert cents(bill("aws_elasticache_replication_group", group)) == "70.08"
    assert "memcached has no price" in refused("aws_elasticache_cluster", {"engine": "memcached"})


def test_valkey_is_priced_as_redis_and_it_says_so() -> None:
    values = {"engine": "valkey", "node_type": "cache.t4g.micro", "num_cache_clusters": 1}
    result = priced(resource("aws_elasticache_replication_group", values))
    assert cents(result) == "17.52"
    assert "ElastiCache for Valkey is priced as Redis, which costs more" in result.notes


def test_buckets_logs_and_secrets_depend_on_usage() -> None:
    standard = {
        "storage_gb": 100,
        "monthly_tier_1_requests": 10_000,
        "monthly_tier_2_requests": 100_000,
    }
    assert list(lines(bill("aws_s3_bucket", {}, {"standard": standard})).values()) == [
        "2.50",
        "0.05",
        "0.04",
    ]
    logs = {"monthly_data_ingested_gb": 10, "storage_gb": 100}
    assert cents(bill("aws_cloudwatch_log_group", {}, logs)) == "10.74"
    assert cents(bill("aws_secretsmanager_secret", {}, {"monthly_requests": 20_000})) == "0.50"
    assert cents(bill("aws_secretsmanager_secret", {"replica": [{"region": "x"}]})) == "0.80"


def test_classes_and_usage_without_price_are_refused() -> None:
    glacier = {"glacier_deep_archive": {"storage_gb": 1}}
    said = refused("aws_s3_bucket", {}, **glacier)
    assert "usage glacier_deep_archive.storage_gb: has no price" in said
    said = refused("aws_cloudwatch_log_group", {}, monthly_data_scanned_gb=1)
    assert "(priced: monthly_data_ingested_gb, storage_gb)" in said
    rare = {"log_group_class": "INFREQUENT_ACCESS"}
    assert "INFREQUENT_ACCESS has no price" in refused("aws_cloudwatch_log_group", rare)


def test_usage_inside_a_class_is_looked_at_too() -> None:
    said = refused("aws_s3_bucket", {}, standard={"monthly_select_data_scanned_gb": 5})
    assert "usage standard.monthly_select_data_scanned_gb: has no price" in said
    assert "standard.storage_gb" in said


def test_nodes_that_no_plan_holds_are_refused() -> None:
    said = refused("aws_eks_cluster", {"compute_config": [{"enabled": True}]})
    assert "compute_config: nodes of EKS Auto Mode are in no plan" in said
    assert "hybrid nodes" in refused("aws_eks_cluster", {"remote_network_config": [{}]})
    assert cents(bill("aws_eks_cluster", {"compute_config": [{"enabled": False}]})) == "73.00"


def test_what_a_large_rds_volume_includes_costs_nothing_more() -> None:
    values = {**RDS, "allocated_storage": 400, "storage_type": "gp3", "iops": 12_000}
    assert "IOPS" not in lines(bill("aws_db_instance", values))


def test_usage_of_nothing_is_no_usage() -> None:
    """Files that Infracost makes hold a zero for each key."""
    zeros = {"monthly_data_scanned_gb": 0, "storage_gb": 0, "monthly_data_ingested_gb": 0}
    assert cents(bill("aws_cloudwatch_log_group", {}, zeros)) == "0.00"
    assert cents(bill("aws_s3_bucket", {}, {"glacier": {"storage_gb": 0}})) == "0.00"


def test_usage_of_a_free_resource_is_refused_not_dropped() -> None:
    said = refused("aws_route53_record", {}, monthly_standard_queries=1_000_000)
    assert "usage monthly_standard_queries: has no price" in said


def test_free_unless() -> None:
    assert priced(resource("aws_ssm_parameter", {"tier": "Standard"})).total == 0
    assert '"ssm.advanced"' in refused("aws_ssm_parameter", {"tier": "Advanced"})
    assert priced(resource("aws_acm_certificate")).free
    assert '"acm.private"' in refused("aws_acm_certificate", {"certificate_authority_arn": "arn"})


def test_extended_support_begins_the_day_after() -> None:
    cluster = resource("aws_eks_cluster", {"version": "1.34"})
    last, after = date(2026, 12, 2), date(2026, 12, 3)
    assert cents(priced(cluster, today=last)) == "73.00"
    result = priced(cluster, today=after)
    assert cents(result) == "438.00"
    assert any("Kubernetes 1.34 left standard support on 2026-12-02" in n for n in result.notes)


def test_a_version_that_the_catalogue_does_not_know_is_a_new_one() -> None:
    assert cents(bill("aws_eks_cluster", {"version": "1.99"})) == "73.00"


@pytest.mark.parametrize(
    ("day", "policy", "amount", "says"),
    [
        ("2026-09-02", "", "73.00", ""),
        (
            "2026-09-04",
            "",
            "73.00",
            "leaves standard support on 2026-12-02; then the control plane",
        ),
        ("2026-12-02", "STANDARD", "73.00", "leaves standard support on 2026-12-02; then AWS upgr"),
        ("2026-12-03", "", "438.00", "left standard support on 2026-12-02; then the control"),
        (
            "2026-12-03",
            "STANDARD",
            "73.00",
            "left standard support on 2026-12-02; then AWS upgrade",
        ),
    ],
)
def test_the_end_of_standard_support_is_told_ninety_days_ahead(
    day: str, policy: str, amount: str, says: str
) -> None:
    """The last day still costs the standard price."""
    values = {"version": "1.34", "upgrade_policy": [{"support_type": policy}]}
    result = priced(resource("aws_eks_cluster", values), today=date.fromisoformat(day))
    assert cents(result) == amount
    notes = [note for note in result.notes if "standard support" in note]
    assert len(notes) == bool(says)
    assert says in "".join(notes)
