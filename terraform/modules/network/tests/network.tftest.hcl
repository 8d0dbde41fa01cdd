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
  name  = "titanium"
  zones = ["ap-northeast-2a", "ap-northeast-2b", "ap-northeast-2c"]
}

run "three_zones_have_three_subnets_of_each_kind_and_share_a_nat" {
  command = plan

  assert {
    condition     = aws_subnet.public[*].cidr_block == ["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"]
    error_message = "public subnets"
  }

  assert {
    condition     = aws_subnet.private[*].cidr_block == ["10.0.16.0/20", "10.0.32.0/20", "10.0.48.0/20"]
    error_message = "private subnets"
  }

  assert {
    condition     = aws_subnet.database[*].cidr_block == ["10.0.8.0/24", "10.0.9.0/24", "10.0.10.0/24"]
    error_message = "database subnets"
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 1 && length(aws_route.private_internet) == 3
    error_message = "one gateway, three routes"
  }

  assert {
    condition     = !anytrue(aws_subnet.public[*].map_public_ip_on_launch)
    error_message = "public addresses are asked for, never given"
  }
}

run "a_nat_per_zone" {
  command = plan

  variables {
    nat = "per_zone"
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 3
    error_message = "three gateways"
  }
}

run "without_nat_nothing_private_reaches_the_internet" {
  command = plan

  variables {
    nat = "none"
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 0 && length(aws_route.private_internet) == 0 && length(aws_route.database_internet) == 0
    error_message = "no gateway, no route"
  }
}

run "a_vpc_inside_a_reserved_network_is_refused" {
  command = plan

  variables {
    reserved_cidrs = { everything_private = "10.0.0.0/8" }
  }

  expect_failures = [var.reserved_cidrs]
}

run "networks_that_only_look_alike_pass" {
  command = plan

  variables {
    reserved_cidrs = { office = "172.16.4.0/24", laptops = "172.16.60.0/24", next = "10.1.0.0/16" }
  }
}

run "a_zone_of_another_region_is_refused" {
  command = plan

  variables {
    zones = ["ap-northeast-1a", "ap-northeast-1c"]
  }

  expect_failures = [aws_vpc.this]
}

run "the_office_in_the_vpc_and_the_same_zone_twice_are_refused" {
  command = plan

  variables {
    cidr           = "172.16.0.0/16"
    reserved_cidrs = { office = "172.16.4.0/24" }
    zones          = ["ap-northeast-2a", "ap-northeast-2a"]
  }

  expect_failures = [var.reserved_cidrs, var.zones]
}

run "a_vpc_too_small_for_its_subnets_and_a_single_zone_are_refused" {
  command = plan

  variables {
    cidr  = "10.0.0.0/24"
    zones = ["ap-northeast-2a"]
  }

  expect_failures = [var.cidr, var.zones]
}

# All at once: each is named, not the first alone.
run "every_other_mistake_is_refused" {
  command = plan

  variables {
    name          = "1titanium"
    nat           = "two"
    flow_log_days = 100
    cidr          = "10.0.0.1/16"                         # bits of a host
    zones         = ["ap-northeast-2", "ap-northeast-2b"] # the first has no letter
    endpoints     = ["s3", "dynamo"]
  }

  expect_failures = [var.name, var.nat, var.flow_log_days, var.cidr, var.zones, var.endpoints]
}
