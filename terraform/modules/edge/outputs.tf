output "alb_arn" {
  description = "The load balancer; null when an Ingress makes it."
  value       = one(aws_lb.this[*].arn)
}

output "alb_dns" {
  description = "The load balancer's own name; null when an Ingress makes it."
  value       = one(aws_lb.this[*].dns_name)
}

output "security_group_id" {
  description = "Group of the load balancer; null when an Ingress makes it."
  value       = one([for ids in module.security_group[*].ids : ids["load_balancer"]])
}

output "target_group_arn" {
  description = "What a TargetGroupBinding names; null when an Ingress makes it."
  value       = one(aws_lb_target_group.this[*].arn)
}

output "web_acl_arn" {
  description = "The firewall's rules."
  value       = aws_wafv2_web_acl.this.arn
}

output "certificate_arn" {
  description = "The certificate in use."
  value       = local.certificate_arn
}

output "zone_id" {
  description = "The Route 53 zone; null without DNS."
  value       = local.zone_id
}

output "name_servers" {
  description = "What the parent zone must name; empty when the zone was not made here."
  value       = var.create_zone ? aws_route53_zone.this[0].name_servers : []
}

output "logs_bucket" {
  description = "Bucket of the load balancer's access logs."
  value       = aws_s3_bucket.logs.bucket
}

output "health_check_id" {
  description = "Route 53's health check; null when it is switched off."
  value       = one(aws_route53_health_check.this[*].id)
}
