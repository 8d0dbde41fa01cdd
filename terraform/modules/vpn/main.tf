# Two ways into the VPC, and no other: the office through IPsec (office.tf), laptops through
# WireGuard (wireguard.tf). Neither reaches the other through us, and nothing here listens for SSH.

data "aws_region" "current" {}

locals {
  office = var.office_public_ip != null
}

check "peers" {
  assert {
    condition     = length(var.peers) > 0
    error_message = "Nobody may connect yet: titanium vpn peer add NAME, then apply again."
  }
}
