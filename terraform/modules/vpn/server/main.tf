# The server's configuration as text. It has no resource and no provider, so that a test can render
# exactly what the server gets, and run it.

locals {
  # The first line says how many follow in all parts: a server that reads while Terraform writes
  # finds another number, and keeps what it has.
  peers_per_part = 40
  parts          = length(var.peers) == 0 ? [[]] : chunklist(var.peers, local.peers_per_part)
  files          = "${path.module}/templates"

  values = {
    region               = var.region
    vpc_cidr             = var.vpc_cidr
    vpc_resolver         = cidrhost(var.vpc_cidr, 2)
    wireguard_cidr       = var.wireguard_cidr
    wireguard_address    = "${cidrhost(var.wireguard_cidr, 1)}/${split("/", var.wireguard_cidr)[1]}"
    wireguard_port       = var.wireguard_port
    private_key_secret   = var.private_key_secret
    public_key_parameter = var.public_key_parameter
    peers_path           = var.peers_path
  }
}
