# The public side: load balancer, firewall, certificate, name.
locals {
  zone_id         = var.create_zone ? aws_route53_zone.this[0].zone_id : var.zone_id
  has_zone        = var.create_zone || var.zone_id != null
  certificate_arn = var.certificate_arn != null ? var.certificate_arn : aws_acm_certificate_validation.this[0].certificate_arn
}

module "security_group" {
  source = "../security_group"
  count  = var.create_alb ? 1 : 0

  name         = var.name
  vpc_id       = var.vpc_id
  groups       = { load_balancer = "Public load balancer" }
  public_ports = ["tcp/80", "tcp/443"]
  rules = {
    http = {
      of          = "load_balancer"
      description = "Plain HTTP from everywhere, answered with a redirect"
      type        = "ingress"
      from_port   = 80
      to_port     = 80
      cidrs       = ["0.0.0.0/0"]
    }
    https = {
      of          = "load_balancer"
      description = "HTTPS from everywhere"
      type        = "ingress"
      from_port   = 443
      to_port     = 443
      cidrs       = ["0.0.0.0/0"]
    }
    to_gateway = {
      of          = "load_balancer"
      description = "To the pods of the ingress gateway"
      type        = "egress"
      from_port   = 80
      to_port     = 80
      cidrs       = [var.vpc_cidr]
    }
    to_gateway_health = {
      of          = "load_balancer"
      description = "Health checks of the pods of the ingress gateway"
      type        = "egress"
      from_port   = 15021
      to_port     = 15021
      cidrs       = [var.vpc_cidr]
    }
  }
  tags = var.tags
}

resource "aws_lb" "this" {
  #checkov:skip=CKV2_AWS_76:Its rules have AWSManagedRulesKnownBadInputsRuleSet; checkov does not read dynamic blocks.
  count = var.create_alb ? 1 : 0

  name                       = var.name
  internal                   = false
  load_balancer_type         = "application"
  subnets                    = var.public_subnet_ids
  security_groups            = [module.security_group[0].ids["load_balancer"]]
  enable_deletion_protection = var.deletion_protection
  drop_invalid_header_fields = true
  desync_mitigation_mode     = "strictest" # smuggled requests are refused at the first hop
  idle_timeout               = 60          # seconds
  xff_header_processing_mode = "append"    # the gateway reads the last address of X-Forwarded-For
  tags                       = merge(var.tags, { Name = var.name })

  access_logs {
    bucket  = aws_s3_bucket.logs.bucket
    prefix  = var.name
    enabled = true
  }

  depends_on = [aws_s3_bucket_policy.logs]
}

# Pods are its targets: a TargetGroupBinding in the cluster keeps them registered.
resource "aws_lb_target_group" "this" {
  #checkov:skip=CKV_AWS_378:TLS ends at the load balancer; from there to the mesh's gateway it is the VPC's own traffic.
  count = var.create_alb ? 1 : 0

  name                          = var.name
  vpc_id                        = var.vpc_id
  port                          = 80
  protocol                      = "HTTP"
  target_type                   = "ip"
  load_balancing_algorithm_type = "least_outstanding_requests"
  deregistration_delay          = 30 # seconds; as long as the pods drain
  tags                          = merge(var.tags, { Name = var.name })

  # The proxy's own readiness: whether the services answer is seen behind it.
  health_check {
    port                = "15021"
    protocol            = "HTTP"
    path                = "/healthz/ready"
    matcher             = "200"
    interval            = 10
    timeout             = 3
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }
}

resource "aws_lb_listener" "http" {
  count = var.create_alb ? 1 : 0

  load_balancer_arn = aws_lb.this[0].arn
  port              = 80
  protocol          = "HTTP"
  tags              = var.tags

  default_action {
    type = "redirect"

    redirect {
      port        = "443"
      protocol    = "HTTPS"
      status_code = "HTTP_301"
    }
  }
}

# Other names than the domain end here: scanners that go by address never reach a pod.
resource "aws_lb_listener" "https" {
  count = var.create_alb ? 1 : 0

  load_balancer_arn = aws_lb.this[0].arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = local.certificate_arn
  tags              = var.tags

  default_action {
    type = "fixed-response"

    fixed_response {
      content_type = "text/plain"
      message_body = "no such host"
      status_code  = "404"
    }
  }
}

resource "aws_lb_listener_rule" "domain" {
  count = var.create_alb ? 1 : 0

  listener_arn = aws_lb_listener.https[0].arn
  priority     = 1
  tags         = merge(var.tags, { Name = var.domain })

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this[0].arn
  }

  condition {
    host_header {
      values = [var.domain]
    }
  }
}

resource "aws_wafv2_web_acl_association" "this" {
  count = var.create_alb ? 1 : 0

  resource_arn = aws_lb.this[0].arn
  web_acl_arn  = aws_wafv2_web_acl.this.arn
}
