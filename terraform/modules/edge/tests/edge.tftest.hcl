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

run "an_address_in_the_place_of_a_name_is_refused" {
  command = plan

  variables {
    domain = "https://titanium.example.org"
  }

  expect_failures = [var.domain]
}

run "a_rate_below_what_aws_takes_is_refused" {
  command = plan

  variables {
    rate_limit = 50
  }

  expect_failures = [var.rate_limit]
}

run "a_rule_group_that_does_not_exist_is_refused" {
  command = plan

  variables {
    counted_rules = { comon = ["SizeRestrictions_BODY"] }
  }

  expect_failures = [var.counted_rules]
}

# All at once: each is named, not the first alone.
run "every_other_mistake_is_refused" {
  command = plan

  variables {
    name              = "titanium.edge"
    public_subnet_ids = ["subnet-0123456789abcdef0"]
    certificate_arn   = "arn:aws:iam::123456789012:server-certificate/titanium"
    health_check_path = "health"
  }

  expect_failures = [var.name, var.public_subnet_ids, var.certificate_arn, var.health_check_path]
}
