mock_provider "aws" {}

variables {
  name   = "titanium"
  vpc_id = "vpc-0123456789abcdef0"
  groups = { web = "Web servers", data = "Databases" }
}

run "a_rule_with_two_networks_becomes_two" {
  command = plan

  variables {
    rules = {
      people = { of = "data", description = "People", type = "ingress", from_port = 5432, to_port = 5432, cidrs = ["172.16.4.0/24", "172.16.60.0/24"] }
    }
  }

  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.this) == 2
    error_message = "one rule a network"
  }
}

run "what_public_ports_names_may_be_open_to_the_world" {
  command = plan

  variables {
    public_ports = ["tcp/443"]
    rules        = { https = { of = "web", description = "HTTPS", type = "ingress", from_port = 443, to_port = 443, cidrs = ["0.0.0.0/0"] } }
  }
}

run "what_public_ports_does_not_name_may_not" {
  command = plan

  variables {
    public_ports = ["tcp/443"]
    rules        = { admin = { of = "web", description = "Console", type = "ingress", from_port = 8443, to_port = 8443, cidrs = ["0.0.0.0/0"] } }
  }

  expect_failures = [var.rules]
}

run "a_range_that_holds_a_public_port_is_not_that_port" {
  command = plan

  variables {
    public_ports = ["tcp/443"]
    rules        = { wide = { of = "web", description = "Wide", type = "ingress", from_port = 443, to_port = 65535, cidrs = ["0.0.0.0/0"] } }
  }

  expect_failures = [var.rules]
}

run "ssh_is_never_public" {
  command = plan

  variables {
    public_ports = ["tcp/22"]
  }

  expect_failures = [var.public_ports]
}

run "a_rule_of_an_unknown_group_is_refused" {
  command = plan

  variables {
    rules = { lost = { of = "wbe", description = "Typing mistake", type = "ingress", from_port = 80, to_port = 80, self = true } }
  }

  expect_failures = [var.rules]
}

run "a_rule_without_another_side_is_refused" {
  command = plan

  variables {
    rules = { open = { of = "web", description = "From whom?", type = "ingress", from_port = 80, to_port = 80 } }
  }

  expect_failures = [var.rules]
}

run "a_rule_that_does_not_say_why_is_refused" {
  command = plan

  variables {
    rules = { mute = { of = "web", description = "", type = "ingress", from_port = 80, to_port = 80, self = true } }
  }

  expect_failures = [var.rules]
}
