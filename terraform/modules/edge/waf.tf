# AWS's managed rules, in the order in which they are asked.
locals {
  managed_rules = {
    reputation = { priority = 10, group = "AWSManagedRulesAmazonIpReputationList" }
    bad_inputs = { priority = 20, group = "AWSManagedRulesKnownBadInputsRuleSet" }
    common     = { priority = 30, group = "AWSManagedRulesCommonRuleSet" } # XSS among others
    sql        = { priority = 40, group = "AWSManagedRulesSQLiRuleSet" }
  }
}

resource "aws_wafv2_web_acl" "this" {
  #checkov:skip=CKV_AWS_192:Rule bad_inputs is AWSManagedRulesKnownBadInputsRuleSet; checkov does not read dynamic blocks.
  name        = var.name
  description = "SQL injection, XSS, known bad inputs, rates"
  scope       = "REGIONAL"
  tags        = var.tags

  default_action {
    allow {}
  }

  # First: who floods costs no evaluation of the others.
  rule {
    name     = "rate"
    priority = 0

    action {
      block {
        custom_response {
          response_code = 429

          response_header {
            name  = "Retry-After"
            value = "300"
          }
        }
      }
    }

    statement {
      rate_based_statement {
        limit              = var.rate_limit
        aggregate_key_type = "IP"
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "${var.name}-rate"
      sampled_requests_enabled   = true
    }
  }

  dynamic "rule" {
    for_each = local.managed_rules
    content {
      name     = rule.key
      priority = rule.value.priority

      override_action {
        none {}
      }

      statement {
        managed_rule_group_statement {
          vendor_name = "AWS"
          name        = rule.value.group

          dynamic "rule_action_override" {
            for_each = lookup(var.counted_rules, rule.key, [])
            content {
              name = rule_action_override.value

              action_to_use {
                count {}
              }
            }
          }
        }
      }

      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = "${var.name}-${rule.key}"
        sampled_requests_enabled   = true
      }
    }
  }

  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = var.name
    sampled_requests_enabled   = true
  }
}

# AWS demands the prefix aws-waf-logs-.
resource "aws_cloudwatch_log_group" "waf" {
  #checkov:skip=CKV_AWS_338:access_log_days says how long; a year by default.
  name              = "aws-waf-logs-${var.name}"
  retention_in_days = var.access_log_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_wafv2_web_acl_logging_configuration" "this" {
  resource_arn            = aws_wafv2_web_acl.this.arn
  log_destination_configs = [aws_cloudwatch_log_group.waf.arn]

  # What was refused or would have been; the access logs have the rest.
  logging_filter {
    default_behavior = "DROP"

    filter {
      behavior    = "KEEP"
      requirement = "MEETS_ANY"

      condition {
        action_condition {
          action = "BLOCK"
        }
      }

      condition {
        action_condition {
          action = "COUNT"
        }
      }
    }
  }

  redacted_fields {
    single_header {
      name = "authorization"
    }
  }

  redacted_fields {
    single_header {
      name = "cookie"
    }
  }
}
