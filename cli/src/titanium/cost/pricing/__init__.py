"""One function for each type of resource that costs something; what the others are, the catalogue
says under [free]."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from titanium.cost.pricing import compute, data, network
from titanium.cost.pricing.bill import Bill
from titanium.cost.usage import TRANSFER

# Writes the bill; a text says why there is nothing to pay.
Pricer = Callable[[Bill], str | None]

PRICERS: Mapping[str, Pricer] = {
    "aws_instance": compute.instance,
    "aws_ebs_volume": compute.volume,
    "aws_eks_node_group": compute.node_group,
    "aws_autoscaling_group": compute.autoscaling_group,
    "aws_nat_gateway": network.nat_gateway,
    "aws_eip": network.address,
    "aws_vpn_connection": network.vpn_connection,
    "aws_lb": network.load_balancer,
    "aws_alb": network.load_balancer,
    "aws_wafv2_web_acl": network.web_acl,
    "aws_wafv2_rule_group": network.rule_group,
    "aws_route53_zone": network.zone,
    "aws_route53_health_check": network.health_check,
    "aws_vpc_endpoint": network.endpoint,
    TRANSFER: network.transfer,
    "aws_eks_cluster": data.eks_cluster,
    "aws_db_instance": data.database,
    "aws_elasticache_cluster": data.cache_cluster,
    "aws_elasticache_replication_group": data.cache_group,
    "aws_s3_bucket": data.bucket,
    "aws_cloudwatch_log_group": data.log_group,
    "aws_secretsmanager_secret": data.secret,
    "aws_ssm_parameter": data.parameter,
    "aws_acm_certificate": data.certificate,
}
