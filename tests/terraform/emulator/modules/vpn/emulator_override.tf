# The emulator takes a connection's static route and never shows it: Terraform would wait for it.
resource "aws_vpn_connection_route" "office" {
  count = 0
}

# A terminated instance keeps its interface in the emulator, which then cannot be deleted; AWS lets it
# go. Here the server gets an interface of its own.
resource "aws_instance" "wireguard" {
  subnet_id              = var.public_subnet_id
  vpc_security_group_ids = [aws_security_group.wireguard.id]

  dynamic "network_interface" {
    for_each = []
    content {
      device_index         = 0
      network_interface_id = network_interface.value
    }
  }
}

# The emulator forgets these two; the first would replace the connection at every apply.
resource "aws_vpn_connection" "office" {
  lifecycle {
    ignore_changes = [static_routes_only, preshared_key_storage]
  }
}
