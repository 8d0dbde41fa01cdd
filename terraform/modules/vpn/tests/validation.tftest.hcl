# What cannot work is refused while planning, each with words of its own. No account is involved.

mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { name = "ap-northeast-2" }
  }

  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }

  mock_data "aws_ami" {
    defaults = { id = "ami-0123456789abcdef0" }
  }
}

variables {
  name             = "test"
  vpc_id           = "vpc-0123456789abcdef0"
  public_subnet_id = "subnet-0123456789abcdef0"
  route_table_ids  = ["rtb-0123456789abcdef0", "rtb-0123456789abcdef1"]
  peers = [{
    name       = "alice"
    public_key = "DqRwT4OJdGdnSkPoUVmzGmzbJLfA9XjCvHCt0VjKBQo="
    address    = "172.16.60.2"
  }]
}

run "laptops_alone" {
  command = apply # of the mock: the text of cloud-init names the secret

  assert {
    condition     = length(aws_vpn_connection.office) == 0 && length(aws_route.office) == 0
    error_message = "Without office_public_ip there is no Site-to-Site connection."
  }

  assert {
    condition     = length(aws_route.laptops) == 2
    error_message = "Every route table leads to laptops."
  }

  assert {
    condition     = aws_network_interface.wireguard.source_dest_check == false
    error_message = "The server forwards: the check would drop what it forwards."
  }

  assert {
    condition     = aws_instance.wireguard.metadata_options[0].http_tokens == "required"
    error_message = "IMDSv2 alone."
  }

  assert {
    condition     = aws_instance.wireguard.root_block_device[0].encrypted
    error_message = "The disk holds the private key."
  }

  assert {
    condition = (
      aws_vpc_security_group_ingress_rule.wireguard.from_port == 51820
      && aws_vpc_security_group_ingress_rule.wireguard.ip_protocol == "udp"
    )
    error_message = "WireGuard's port, by UDP, is the only way in."
  }

  assert {
    condition     = aws_ssm_parameter.peers[0].value == "# 1 peers\nDqRwT4OJdGdnSkPoUVmzGmzbJLfA9XjCvHCt0VjKBQo= 172.16.60.2 alice"
    error_message = "The server reads: how many, then key, address, name."
  }

  # EC2 takes 16 KiB.
  assert {
    condition     = length(aws_instance.wireguard.user_data) < 16384
    error_message = "cloud-init's text is too long."
  }
}

run "with_the_office" {
  command = plan

  variables {
    office_public_ip = "203.0.113.10"
  }

  assert {
    condition     = aws_vpn_connection.office[0].static_routes_only && aws_vpn_connection.office[0].preshared_key_storage == "SecretsManager"
    error_message = "Static routes; keys that state does not hold."
  }

  assert {
    condition     = aws_vpn_connection.office[0].tunnel1_ike_versions == toset(["ikev2"]) && aws_vpn_connection.office[0].tunnel2_ike_versions == toset(["ikev2"])
    error_message = "Both tunnels, IKEv2 alone."
  }

  assert {
    condition     = aws_vpn_connection_route.office[0].destination_cidr_block == "172.16.4.0/24" && length(aws_route.office) == 2
    error_message = "The office's network, from every route table."
  }
}

run "as_many_as_fit" {
  command = plan

  variables {
    peers = [for number in range(2, 255) : {
      name       = format("laptop-%03d-with-a-name-so-long-0", number)
      public_key = "${substr(base64sha256("laptop ${number}"), 0, 42)}A="
      address    = "172.16.60.${number}"
    }]
  }

  assert {
    condition     = length(aws_ssm_parameter.peers) == 7 && alltrue([for part in aws_ssm_parameter.peers : length(part.value) <= 4096])
    error_message = "A parameter of the free tier holds 4096 characters."
  }
}

run "office_overlaps_vpc" {
  command = plan
  variables {
    office_cidr = "10.0.4.0/24"
  }
  expect_failures = [var.office_cidr]
}

run "laptops_overlap_office" {
  command = plan
  variables {
    wireguard_cidr = "172.16.0.0/16"
  }
  expect_failures = [var.wireguard_cidr]
}

run "no_network" {
  command = plan
  variables {
    wireguard_cidr = "172.16.60.0"
  }
  expect_failures = [var.wireguard_cidr]
}

run "too_small" {
  command = plan
  variables {
    wireguard_cidr = "172.16.60.0/30"
  }
  expect_failures = [var.wireguard_cidr]
}

run "private_office_address" {
  command = plan
  variables {
    office_public_ip = "172.16.4.1"
  }
  expect_failures = [var.office_public_ip]
}

run "office_address_with_prefix" {
  command = plan
  variables {
    office_public_ip = "203.0.113.10/32"
  }
  expect_failures = [var.office_public_ip]
}

run "no_route_tables" {
  command = plan
  variables {
    route_table_ids = []
  }
  expect_failures = [var.route_table_ids]
}

run "low_port" {
  command = plan
  variables {
    wireguard_port = 53
  }
  expect_failures = [var.wireguard_port]
}

run "private_key_in_the_place_of_a_public_one" {
  command = plan
  variables {
    peers = [{ name = "a", public_key = "not a key", address = "172.16.60.2" }]
  }
  expect_failures = [var.peers]
}

run "the_servers_address" {
  command = plan
  variables {
    peers = [{ name = "a", public_key = "DqRwT4OJdGdnSkPoUVmzGmzbJLfA9XjCvHCt0VjKBQo=", address = "172.16.60.1" }]
  }
  expect_failures = [var.peers]
}

run "two_with_one_key" {
  command = plan
  variables {
    peers = [
      { name = "a", public_key = "DqRwT4OJdGdnSkPoUVmzGmzbJLfA9XjCvHCt0VjKBQo=", address = "172.16.60.2" },
      { name = "b", public_key = "DqRwT4OJdGdnSkPoUVmzGmzbJLfA9XjCvHCt0VjKBQo=", address = "172.16.60.3" },
    ]
  }
  expect_failures = [var.peers]
}

run "name_with_a_line_break" {
  command = plan
  variables {
    peers = [{ name = "a\nb", public_key = "DqRwT4OJdGdnSkPoUVmzGmzbJLfA9XjCvHCt0VjKBQo=", address = "172.16.60.2" }]
  }
  expect_failures = [var.peers]
}

# The others depend on it: alone.
run "a_vpc_without_its_length" {
  command = plan
  variables {
    vpc_cidr = "10.0.0.0"
  }
  expect_failures = [var.vpc_cidr]
}

# All at once: each is named, not the first alone.
run "every_other_mistake" {
  command = plan
  variables {
    name        = "VPN"
    office_cidr = "172.16.4.0"
    ami_id      = "debian-12"
  }
  expect_failures = [var.name, var.office_cidr, var.ami_id]
}
