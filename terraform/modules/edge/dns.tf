resource "aws_route53_zone" "this" {
  #checkov:skip=CKV2_AWS_38:Signing needs a key in us-east-1 and the parent zone's hands; docs/how-to/deploy-aws.md says how.
  #checkov:skip=CKV2_AWS_39:Query logs cost by the line and say nothing that the access logs do not.
  count = var.create_zone ? 1 : 0

  name    = var.domain
  comment = "Public zone of ${var.name}"
  tags    = var.tags
}

resource "aws_acm_certificate" "this" {
  count = var.certificate_arn == null ? 1 : 0

  domain_name       = var.domain
  validation_method = "DNS"
  tags              = merge(var.tags, { Name = var.domain })

  # The listener uses the old one until there is a new one.
  lifecycle {
    create_before_destroy = true
  }
}

# One name, so one record; its key is known while planning, its content is not.
resource "aws_route53_record" "certificate" {
  for_each = var.certificate_arn == null ? toset([var.domain]) : []

  zone_id         = local.zone_id
  name            = one(aws_acm_certificate.this[0].domain_validation_options).resource_record_name
  type            = one(aws_acm_certificate.this[0].domain_validation_options).resource_record_type
  records         = [one(aws_acm_certificate.this[0].domain_validation_options).resource_record_value]
  ttl             = 300
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "this" {
  count = var.certificate_arn == null ? 1 : 0

  certificate_arn         = aws_acm_certificate.this[0].arn
  validation_record_fqdns = [for record in aws_route53_record.certificate : record.fqdn]
}

resource "aws_route53_record" "domain" {
  count = var.create_alb && local.has_zone ? 1 : 0

  zone_id = local.zone_id
  name    = var.domain
  type    = "A"

  alias {
    name                   = aws_lb.this[0].dns_name
    zone_id                = aws_lb.this[0].zone_id
    evaluate_target_health = true
  }
}

# From outside, by name, through DNS, certificate, firewall and gateway: what a visitor meets.
resource "aws_route53_health_check" "this" {
  count = var.health_check ? 1 : 0

  type              = "HTTPS"
  fqdn              = var.domain
  port              = 443
  resource_path     = var.health_check_path
  request_interval  = 30 # seconds; 10 costs more
  failure_threshold = 3
  enable_sni        = true
  tags              = merge(var.tags, { Name = var.domain })
}
