"""Environment aws, both profiles, from nothing to nothing, and what it is in between."""

from __future__ import annotations

import re
from ipaddress import ip_network
from itertools import pairwise
from typing import Any

import pytest
import yaml

from tests.terraform.life import Applied
from tests.terraform.support import ROOT

pytestmark = pytest.mark.cloud

SETTINGS = ROOT / "k8s-manifests" / "overlays" / "aws" / "settings.yaml"
WORLD = "0.0.0.0/0"


def test_a_second_plan_is_empty(profile: Applied) -> None:
    assert profile.second_plan == []


def test_destroying_leaves_nothing(profile: Applied) -> None:
    assert profile.destroyed, profile.said
    assert profile.left_in_state == []
    assert profile.left_in_account == []


def test_every_example_applies_plans_empty_and_leaves_nothing(example: Applied) -> None:
    assert example.state
    assert example.second_plan == []
    assert example.destroyed, example.said
    assert (example.left_in_state, example.left_in_account) == ([], [])


def test_subnets_lie_apart_in_three_zones(profile: Applied) -> None:
    subnets = profile.resources("aws_subnet")
    blocks = sorted(ip_network(one["cidr_block"]) for one in subnets)
    assert len(blocks) == 9
    assert all(not one.overlaps(other) for one, other in pairwise(blocks))
    assert all(block.subnet_of(ip_network("10.0.0.0/16")) for block in blocks)
    assert {one["availability_zone"] for one in subnets} == {f"ap-northeast-2{z}" for z in "abc"}
    assert not any(one["map_public_ip_on_launch"] for one in subnets)


def test_private_routes_lead_to_nat_and_the_tunnels_never_to_the_gateway(profile: Applied) -> None:
    routes = profile.resources("aws_route")
    to_world = [one for one in routes if one["destination_cidr_block"] == WORLD]
    public = [one for one in to_world if one["gateway_id"]]
    assert [one["address"] for one in public] == ["module.network.aws_route.public_internet"]
    assert all(one["nat_gateway_id"] for one in to_world if one not in public)
    behind_tunnels = {one["destination_cidr_block"] for one in routes} - {WORLD}
    assert behind_tunnels == {"172.16.4.0/24", "172.16.60.0/24"}


def test_light_has_one_nat_gateway_and_standard_one_a_zone(
    light: Applied, standard: Applied
) -> None:
    assert len(light.resources("aws_nat_gateway")) == 1
    assert len(standard.resources("aws_nat_gateway")) == 3


def test_only_web_and_wireguard_are_open_to_the_world(profile: Applied) -> None:
    def opened(rule: dict[str, Any]) -> tuple[str, int]:
        return rule["ip_protocol"], rule["from_port"]

    rules = profile.resources("aws_vpc_security_group_ingress_rule")
    world = {opened(rule) for rule in rules if rule["cidr_ipv4"] == WORLD}
    assert world == {("tcp", 80), ("tcp", 443), ("udp", 51820)}
    assert not [rule for rule in rules if rule["cidr_ipv6"]]
    inline = [one["ingress"] for one in profile.resources("aws_security_group") if one["ingress"]]
    blocks = [cidr for rules in inline for rule in rules for cidr in rule["cidr_blocks"]]
    assert (
        WORLD not in set(blocks)
        or {
            (rule["protocol"], rule["from_port"])
            for rules in inline
            for rule in rules
            if WORLD in rule["cidr_blocks"]
        }
        <= world
    )


def test_the_clusters_nodes_alone_read_the_database_machines_figures(
    light: Applied, standard: Applied
) -> None:
    def reading(profile: Applied) -> list[dict[str, Any]]:
        rules = profile.resources("aws_vpc_security_group_ingress_rule")
        return [one for one in rules if one["from_port"] == 9100]

    (rule,) = reading(light)
    (postgres,) = (
        one
        for one in light.resources("aws_vpc_security_group_ingress_rule")
        if one["address"]
        == 'module.database.aws_vpc_security_group_ingress_rule.client["nodes-writer"]'
    )
    assert rule["referenced_security_group_id"] == postgres["referenced_security_group_id"]
    assert (rule["to_port"], rule["cidr_ipv4"]) == (9100, None)
    assert reading(standard) == []


def test_nobody_may_ssh(profile: Applied) -> None:
    rules = profile.resources("aws_vpc_security_group_ingress_rule")
    reaching = [
        rule["address"]
        for rule in rules
        if rule["ip_protocol"] == "tcp" and rule["from_port"] <= 22 <= rule["to_port"]
    ]
    assert reaching == []
    assert not any(one.get("key_name") for one in profile.resources("aws_instance"))


def test_every_rule_says_why_in_letters_that_aws_takes(profile: Applied) -> None:
    """The emulator takes any; AWS refuses an apostrophe, and that while applying."""
    taken = re.compile(r"[a-zA-Z0-9 ._:/()#,@\[\]+=&;{}!$*-]{1,255}")
    for kind in (
        "security_group",
        "vpc_security_group_ingress_rule",
        "vpc_security_group_egress_rule",
    ):
        described = profile.planned(f"aws_{kind}")
        assert described
        for one in described:
            assert taken.fullmatch(one["description"]), (one["address"], one["description"])


def test_disks_are_encrypted(profile: Applied) -> None:
    for one in profile.planned("aws_instance"):
        for disk in one["root_block_device"] + one.get("ebs_block_device", []):
            assert disk["encrypted"], one["address"]
    assert all(one["encrypted"] for one in profile.planned("aws_ebs_volume"))
    for template in profile.planned("aws_launch_template"):
        for mapping in template["block_device_mappings"]:
            assert mapping["ebs"][0]["encrypted"] == "true", template["address"]


def test_buckets_are_encrypted_private_and_for_tls_alone(profile: Applied) -> None:
    buckets = {one["bucket"] for one in profile.resources("aws_s3_bucket")}
    assert buckets
    encrypted = profile.resources("aws_s3_bucket_server_side_encryption_configuration")
    assert {one["bucket"] for one in encrypted} == buckets
    private = profile.resources("aws_s3_bucket_public_access_block")
    assert {one["bucket"] for one in private} == buckets
    for block in private:
        switches = ("block_public_acls", "block_public_policy", "ignore_public_acls")
        assert all(block[name] for name in (*switches, "restrict_public_buckets"))
    policies = {one["bucket"]: one["policy"] for one in profile.resources("aws_s3_bucket_policy")}
    assert set(policies) == buckets
    assert all("aws:SecureTransport" in policy for policy in policies.values())


def test_one_key_encrypts_logs_secrets_and_databases(profile: Applied) -> None:
    key = profile.one("aws_kms_key")
    assert key["enable_key_rotation"]
    for one in profile.resources("aws_cloudwatch_log_group"):
        assert one["kms_key_id"] == key["arn"], one["address"]
        assert one["retention_in_days"] == 365, one["address"]
    for one in profile.resources("aws_secretsmanager_secret"):
        if not one["address"].startswith("module.vpn"):  # which says why
            assert one["kms_key_id"] == key["arn"], one["address"]
    for one in profile.resources("aws_db_instance"):
        assert one["kms_key_id"] == key["arn"]


def test_flows_are_logged_and_the_default_group_is_empty(profile: Applied) -> None:
    assert profile.one("aws_flow_log")["traffic_type"] == "ALL"
    group = profile.one("aws_default_security_group")
    assert (group["ingress"], group["egress"]) == ([], [])


def test_instances_take_imdsv2_alone(profile: Applied) -> None:
    for kind in ("aws_instance", "aws_launch_template"):
        for one in profile.planned(kind):
            assert one["metadata_options"][0]["http_tokens"] == "required", one["address"]


def test_no_database_is_public(profile: Applied) -> None:
    database = {
        one["id"]
        for one in profile.resources("aws_subnet")
        if one["address"].startswith("module.network.aws_subnet.database")
    }
    nodes = ("aws_instance", "aws_network_interface")
    for one in (one for kind in nodes for one in profile.resources(kind)):
        if one["address"].startswith("module.database"):
            assert one["subnet_id"] in database
    # As planned: the emulator gives every instance a public address. Addresses of the nodes are
    # their interfaces', and no subnet hands out public ones.
    for instance in profile.planned("aws_instance"):
        assert not instance.get("associate_public_ip_address"), instance["address"]
    assert not [
        one["address"]
        for one in profile.planned("aws_eip")
        if not one["address"].startswith(("module.network", "module.vpn"))
    ]
    assert all(not one["publicly_accessible"] for one in profile.resources("aws_db_instance"))
    balancers = profile.resources("aws_lb")
    assert [one["name"] for one in balancers if not one["internal"]] == ["titanium"]


def test_the_load_balancer_of_patroni_asks_for_the_leader(light: Applied) -> None:
    checks = {
        (one["port"], check["port"], check["path"], check["protocol"])
        for one in light.resources("aws_lb_target_group")
        if one["address"].startswith("module.database")
        for check in one["health_check"]
    }
    assert {path for _, _, path, _ in checks} == {"/primary", "/replica"}
    assert {port for _, port, _, _ in checks} == {"8008"}
    assert {protocol for _, _, _, protocol in checks} == {"HTTPS"}


def test_the_public_side_speaks_tls_and_asks_for_health(profile: Applied) -> None:
    listeners = {
        one["port"]: one
        for one in profile.resources("aws_lb_listener")
        if one["address"].startswith("module.edge")
    }
    assert set(listeners) == {80, 443}
    (redirect,) = listeners[80]["default_action"]
    assert redirect["type"] == "redirect"
    assert redirect["redirect"][0]["protocol"] == "HTTPS"
    assert listeners[443]["ssl_policy"] == "ELBSecurityPolicy-TLS13-1-2-2021-06"
    (group,) = [
        one
        for one in profile.resources("aws_lb_target_group")
        if one["address"].startswith("module.edge")
    ]
    (check,) = group["health_check"]
    assert (check["port"], check["path"]) == ("15021", "/healthz/ready")
    outside = profile.one("aws_route53_health_check")
    assert (outside["type"], outside["port"]) == ("HTTPS", 443)
    assert (outside["fqdn"], outside["resource_path"]) == ("titanium.example.org", "/health")


def test_patroni_nodes_are_three_in_three_zones(light: Applied) -> None:
    nodes = [
        one
        for one in light.resources("aws_instance")
        if one["address"].startswith("module.database")
    ]
    assert len(nodes) == 3
    assert len({one["subnet_id"] for one in nodes}) == 3
    assert {one["tags"]["Schedule"] for one in nodes} == {"office-hours"}


def test_standard_runs_rds_in_two_zones(standard: Applied) -> None:
    database = standard.one("aws_db_instance")
    assert database["multi_az"]
    assert database["storage_encrypted"]


def test_the_cluster_is_private_and_its_secrets_encrypted(profile: Applied) -> None:
    (cluster,) = profile.planned("aws_eks_cluster")
    (network,) = cluster["vpc_config"]
    assert (network["endpoint_private_access"], network["endpoint_public_access"]) == (True, False)
    assert cluster["encryption_config"][0]["resources"] == ["secrets"]
    assert cluster["access_config"][0]["authentication_mode"] == "API"


def test_the_cache_demands_tls(profile: Applied) -> None:
    (cache,) = profile.planned("aws_elasticache_replication_group")
    assert cache["transit_encryption_mode"] == "required"
    assert cache["at_rest_encryption_enabled"] == "true"


def test_the_firewall_stands_before_the_load_balancer(profile: Applied) -> None:
    acl = profile.one("aws_wafv2_web_acl")
    groups = {
        group["name"]
        for rule in acl["rule"]
        for statement in rule["statement"]
        for group in statement["managed_rule_group_statement"]
    }
    assert {"AWSManagedRulesSQLiRuleSet", "AWSManagedRulesCommonRuleSet"} <= groups
    assert any(rule["statement"][0]["rate_based_statement"] for rule in acl["rule"])
    association = profile.one("aws_wafv2_web_acl_association")
    assert association["web_acl_arn"] == acl["arn"]


def test_passwords_are_neither_in_the_plan_nor_in_the_state(profile: Applied) -> None:
    for seen in (*profile.planned("aws_secretsmanager_secret_version"),):
        assert not seen.get("secret_string"), seen["address"]
    for stored in profile.resources("aws_secretsmanager_secret_version"):
        assert not stored["secret_string"], stored["address"]
        assert not stored["secret_string_wo"], stored["address"]


def test_everything_is_tagged(profile: Applied) -> None:
    for kind in ("aws_vpc", "aws_instance", "aws_lb", "aws_eks_node_group", "aws_kms_key"):
        for one in profile.planned(kind):
            tags = one["tags_all"]
            assert (tags["Project"], tags["ManagedBy"]) == ("titanium", "terraform"), one["address"]
            assert tags["Environment"] == "production", one["address"]


def test_light_stops_at_night_and_standard_does_not(light: Applied, standard: Applied) -> None:
    schedule = light.outputs["schedule"]
    assert schedule["timezone"] == "Asia/Seoul"
    assert schedule["expressions"]["start-database"] == "cron(0 9 ? * MON-FRI *)"
    assert schedule["expressions"]["stop-nodes-titanium-application"] == "cron(0 2 ? * TUE-SAT *)"
    assert standard.outputs.get("schedule") is None
    assert standard.resources("aws_scheduler_schedule") == []


def test_the_schedule_may_touch_what_it_names_alone(light: Applied) -> None:
    (policy,) = [
        one
        for one in light.resources("aws_iam_role_policy")
        if one["address"].startswith("module.schedule")
    ]
    assert '"Resource":"*"' not in policy["policy"].replace(" ", "")


def test_the_overlay_is_filled_in_whole(profile: Applied) -> None:
    ours = yaml.safe_load(profile.outputs["overlay_settings"])
    theirs = yaml.safe_load(SETTINGS.read_text("utf-8"))
    assert set(theirs["data"]) == set(ours["data"])
    # Prometheus' targets: as many as there are machines, none with RDS.
    nodes, examples = (one["data"].pop("databaseNodes") for one in (ours, theirs))
    interfaces = profile.resources("aws_network_interface")
    addresses = [one["private_ip"] for one in interfaces if "database" in one["address"]]
    assert sorted(one["targets"] for one in nodes) == sorted([f"{ip}:9100"] for ip in addresses)
    assert all(set(one) == set(examples[0]) for one in nodes)
    assert all(isinstance(value, str) and value for value in ours["data"].values())
    assert ours["metadata"] == theirs["metadata"]


def test_light_is_what_the_variables_default_to() -> None:
    """So that `terraform apply` without a file is profile light."""
    # A plan without the file would take as long as one with it: the lines are compared instead.
    environment = ROOT / "terraform" / "environments" / "aws"
    variables = (environment / "variables.tf").read_text("utf-8")
    for line in (environment / "light.tfvars").read_text("utf-8").splitlines():
        name, equals, value = line.split("#")[0].partition("=")
        if equals and not line.startswith((" ", "#")) and value.strip() not in ("{", "["):
            block = variables.split(f'variable "{name.strip()}"')[1].split("\n}\n")[0]
            default = block.split("default")[1].split("=", 1)[1].split("\n")[0]
            assert default.strip() == value.strip(), name
