# The WireGuard server for laptops. Its private key is made by itself on its first boot and kept in
# Secrets Manager: a replaced server is the same one to every laptop. State never holds the key.

module "server" {
  source = "./server"

  region               = data.aws_region.current.name
  vpc_cidr             = var.vpc_cidr
  wireguard_cidr       = var.wireguard_cidr
  wireguard_port       = var.wireguard_port
  peers                = var.peers
  private_key_secret   = aws_secretsmanager_secret.private_key.arn
  public_key_parameter = aws_ssm_parameter.public_key.name
  peers_path           = "/${var.name}/wireguard/peers"
}

resource "aws_secretsmanager_secret" "private_key" {
  #checkov:skip=CKV_AWS_149:The account's own key encrypts it; a key of our own costs $1 a month and protects from nobody else.
  #checkov:skip=CKV2_AWS_57:A new key would cut off every laptop until it has a new file: docs/how-to/vpn.md says how to do it on purpose.
  name_prefix = "${var.name}-wireguard-"
  description = "Private key of the WireGuard server; the server itself writes it."
  # A secret that waits for its deletion would keep the name: hence the prefix, and these days in
  # which a server destroyed by mistake can have its identity back.
  recovery_window_in_days = 7
  tags                    = var.tags
}

# The server writes its public key here; `titanium vpn peer add` and outputs read it.
resource "aws_ssm_parameter" "public_key" {
  #checkov:skip=CKV2_AWS_34:It is a public key.
  #checkov:skip=CKV_AWS_337:It is a public key.
  name        = "/${var.name}/wireguard/public-key"
  description = "Public key of the WireGuard server; the server itself writes it."
  type        = "String"
  value       = module.server.unknown_public_key
  tags        = var.tags

  lifecycle {
    ignore_changes = [value]
  }
}

# The list of peers, which the server asks for every minute: adding and revoking somebody replaces no
# server and cuts nobody else off. A parameter holds 4096 characters, a peer takes at most 93.
resource "aws_ssm_parameter" "peers" {
  #checkov:skip=CKV2_AWS_34:Public keys and private addresses.
  #checkov:skip=CKV_AWS_337:Public keys and private addresses.
  count = length(module.server.peer_lists)

  name        = "/${var.name}/wireguard/peers/${count.index}"
  description = "Who may connect to the WireGuard server, part ${count.index + 1}."
  type        = "String"
  value       = module.server.peer_lists[count.index]
  tags        = var.tags
}

data "aws_ami" "debian" {
  count = var.ami_id == null ? 1 : 0

  most_recent = true
  owners      = ["136693071363"] # the Debian project

  filter {
    name   = "name"
    values = ["debian-12-amd64-*"]
  }
}

resource "aws_security_group" "wireguard" {
  name_prefix = "${var.name}-wireguard-"
  description = "WireGuard server: its UDP port from anywhere, nothing else."
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.name}-wireguard" })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "wireguard" {
  security_group_id = aws_security_group.wireguard.id
  description       = "WireGuard. It answers nobody whose key it does not know."
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "udp"
  from_port         = var.wireguard_port
  to_port           = var.wireguard_port
}

resource "aws_vpc_security_group_egress_rule" "vpc" {
  security_group_id = aws_security_group.wireguard.id
  description       = "What laptops ask of the VPC."
  cidr_ipv4         = var.vpc_cidr
  ip_protocol       = "-1"
}

resource "aws_vpc_security_group_egress_rule" "internet" {
  for_each = { https = 443, http = 80 }

  security_group_id = aws_security_group.wireguard.id
  description       = "Packages (mirrors of Debian, signed, answer on 80) and interfaces of AWS."
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
}

# The interface outlives the server: its addresses and the routes to it stay when a server is
# replaced, and a new one has its public address from the first second, when it fetches packages.
resource "aws_network_interface" "wireguard" {
  subnet_id       = var.public_subnet_id
  security_groups = [aws_security_group.wireguard.id]
  description     = "WireGuard server"

  # It forwards packets that are not from its own address. There is no NAT: the VPC sees laptops by
  # their own addresses, so that security groups and logs can tell them apart.
  source_dest_check = false

  tags = merge(var.tags, { Name = "${var.name}-wireguard" })
}

resource "aws_eip" "wireguard" {
  domain            = "vpc"
  network_interface = aws_network_interface.wireguard.id
  tags              = merge(var.tags, { Name = "${var.name}-wireguard" })
}

resource "aws_instance" "wireguard" {
  #checkov:skip=CKV_AWS_126:A figure a minute costs $2.10 a month and would change nothing: EC2 recovers the server by itself.
  ami                  = var.ami_id != null ? var.ami_id : data.aws_ami.debian[0].id
  instance_type        = var.instance_type
  iam_instance_profile = aws_iam_instance_profile.wireguard.name
  ebs_optimized        = true

  network_interface {
    device_index         = 0
    network_interface_id = aws_network_interface.wireguard.id
  }

  user_data                   = module.server.user_data
  user_data_replace_on_change = true # cloud-init configures a server once, on its first boot

  metadata_options {
    http_tokens                 = "required" # IMDSv2
    http_put_response_hop_limit = 1          # not for whom it forwards
  }

  root_block_device {
    encrypted   = true
    volume_type = "gp3"
    volume_size = 8
  }

  tags = merge(var.tags, { Name = "${var.name}-wireguard" })

  # It fetches packages and its key when it boots.
  depends_on = [aws_eip.wireguard, aws_iam_role_policy.wireguard, aws_vpc_security_group_egress_rule.internet]

  lifecycle {
    # A newer Debian is not a reason to cut everybody off; replace it on purpose:
    # terraform apply -replace=module.vpn.aws_instance.wireguard
    ignore_changes = [ami]
  }
}

resource "aws_route" "laptops" {
  count = length(var.route_table_ids)

  route_table_id         = var.route_table_ids[count.index]
  destination_cidr_block = var.wireguard_cidr
  network_interface_id   = aws_network_interface.wireguard.id
}
