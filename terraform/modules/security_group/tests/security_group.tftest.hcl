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

run "a_group_that_does_not_say_why_is_refused" {
  command = plan

  variables {
    groups = { web = "" }
  }

  expect_failures = [var.groups]
}

run "an_apostrophe_in_a_rules_description_is_refused" {
  command = plan

  variables {
    rules = { wrong = { of = "web", description = "To the gateway's pods", type = "egress", from_port = 80, to_port = 80, group = "data" } }
  }

  expect_failures = [var.rules]
}

run "a_rule_in_both_directions_is_refused" {
  command = plan

  variables {
    rules = { wrong = { of = "web", description = "Both ways", type = "both", from_port = 80, to_port = 80, self = true } }
  }

  expect_failures = [var.rules]
}

run "an_unknown_protocol_is_refused" {
  command = plan

  variables {
    rules = { wrong = { of = "web", description = "By name", type = "ingress", protocol = "http", from_port = 80, to_port = 80, self = true } }
  }

  expect_failures = [var.rules]
}

run "ports_the_wrong_way_round_are_refused" {
  command = plan

  variables {
    rules = { wrong = { of = "web", description = "Range", type = "ingress", from_port = 90, to_port = 80, self = true } }
  }

  expect_failures = [var.rules]
}

run "another_side_that_is_not_there_is_refused" {
  command = plan

  variables {
    rules = { wrong = { of = "web", description = "Typing mistake", type = "ingress", from_port = 80, to_port = 80, group = "dta" } }
  }

  expect_failures = [var.rules]
}

run "an_address_without_its_length_is_refused" {
  command = plan

  variables {
    rules = { wrong = { of = "web", description = "One address", type = "ingress", from_port = 80, to_port = 80, cidrs = ["10.0.0.1"] } }
  }

  expect_failures = [var.rules]
}

# All at once: each is named, not the first alone.
run "every_other_mistake_is_refused" {
  command = plan

  variables {
    name   = "sg-titanium/"
    groups = { web = "The gateway's pods", data = "Databases" }
  }

  expect_failures = [var.name, var.groups]
}
