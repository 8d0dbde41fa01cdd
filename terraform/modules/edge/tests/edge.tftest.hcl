mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { name = "ap-northeast-2" }
  }

  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
}

variables {
  name              = "titanium"
  vpc_id            = "vpc-0123456789abcdef0"
  vpc_cidr          = "10.0.0.0/16"
  public_subnet_ids = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  domain            = "titanium.example.org"
  certificate_arn   = "arn:aws:acm:ap-northeast-2:123456789012:certificate/00000000-0000-0000-0000-000000000000"
}

run "plain_http_is_redirected" {
  command = plan

  assert {
    condition     = aws_lb_listener.http[0].default_action[0].redirect[0].protocol == "HTTPS"
    error_message = "redirect"
  }
}

run "an_ingress_may_make_the_load_balancer" {
  command = plan

  variables {
    create_alb = false
  }

  assert {
    condition     = length(aws_lb.this) == 0 && length(aws_wafv2_web_acl_association.this) == 0
    error_message = "no load balancer, the firewall stays"
  }
}

run "neither_certificate_nor_zone_is_refused" {
  command = plan

  variables {
    certificate_arn = null
  }

  expect_failures = [var.certificate_arn]
}

run "two_zones_are_refused" {
  command = plan

  variables {
    create_zone = true
    zone_id     = "Z0123456789EXAMPLE"
  }

  expect_failures = [var.zone_id]
}

# All at once: each is named, not the first alone.
run "every_other_mistake_is_refused" {
  command = plan

  variables {
    name              = "titanium.edge"
    public_subnet_ids = ["subnet-0123456789abcdef0"]
    certificate_arn   = "arn:aws:iam::123456789012:server-certificate/titanium"
    health_check_path = "health"
    domain            = "https://titanium.example.org"        # an address in the place of a name
    rate_limit        = 50                                    # below what AWS takes
    counted_rules     = { comon = ["SizeRestrictions_BODY"] } # no such group of rules
  }

  expect_failures = [
    var.name, var.public_subnet_ids, var.certificate_arn, var.health_check_path, var.domain,
    var.rate_limit, var.counted_rules,
  ]
}
