# Site-to-Site VPN: two IPsec tunnels to the office's pfSense, over one or the other of which
# traffic flows. AWS replaces each tunnel's end from time to time, never both at once.

resource "aws_vpn_gateway" "this" {
  count = local.office ? 1 : 0

  vpc_id = var.vpc_id
  tags   = merge(var.tags, { Name = var.name })
}

resource "aws_customer_gateway" "office" {
  count = local.office ? 1 : 0

  type       = "ipsec.1"
  ip_address = var.office_public_ip
  # Required, and unused: routes are static, because one network on each side needs no BGP.
  bgp_asn = 65000
  tags    = merge(var.tags, { Name = "${var.name}-office" })
}

locals {
  # One set of algorithms, offered by both ends, so that nothing weaker can be negotiated. All are
  # what pfSense calls by the same names; `titanium vpn pfsense` prints them, a test compares.
  ipsec = {
    ike_versions = ["ikev2"]
    encryption   = ["AES256-GCM-16"]
    integrity    = ["SHA2-384"]
    dh_groups    = [20]  # the NIST curve P-384
    ike_lifetime = 28800 # seconds; AWS's maximum
    esp_lifetime = 3600  # seconds; AWS's maximum
  }
}

resource "aws_vpn_connection" "office" {
  count = local.office ? 1 : 0

  type                = "ipsec.1"
  vpn_gateway_id      = aws_vpn_gateway.this[0].id
  customer_gateway_id = aws_customer_gateway.office[0].id
  static_routes_only  = true

  # AWS makes the shared keys and keeps them in Secrets Manager: state holds "REDACTED".
  preshared_key_storage = "SecretsManager"

  # The office begins (the default): it may sit behind an address that AWS cannot call.
  tunnel1_ike_versions                 = local.ipsec.ike_versions
  tunnel1_phase1_encryption_algorithms = local.ipsec.encryption
  tunnel1_phase1_integrity_algorithms  = local.ipsec.integrity
  tunnel1_phase1_dh_group_numbers      = local.ipsec.dh_groups
  tunnel1_phase1_lifetime_seconds      = local.ipsec.ike_lifetime
  tunnel1_phase2_encryption_algorithms = local.ipsec.encryption
  tunnel1_phase2_integrity_algorithms  = local.ipsec.integrity
  tunnel1_phase2_dh_group_numbers      = local.ipsec.dh_groups
  tunnel1_phase2_lifetime_seconds      = local.ipsec.esp_lifetime

  tunnel2_ike_versions                 = local.ipsec.ike_versions
  tunnel2_phase1_encryption_algorithms = local.ipsec.encryption
  tunnel2_phase1_integrity_algorithms  = local.ipsec.integrity
  tunnel2_phase1_dh_group_numbers      = local.ipsec.dh_groups
  tunnel2_phase1_lifetime_seconds      = local.ipsec.ike_lifetime
  tunnel2_phase2_encryption_algorithms = local.ipsec.encryption
  tunnel2_phase2_integrity_algorithms  = local.ipsec.integrity
  tunnel2_phase2_dh_group_numbers      = local.ipsec.dh_groups
  tunnel2_phase2_lifetime_seconds      = local.ipsec.esp_lifetime

  tags = merge(var.tags, { Name = "${var.name}-office" })
}

# What AWS sends into the tunnels. The laptops' network is not among it: office and laptops do not
# reach each other.
resource "aws_vpn_connection_route" "office" {
  count = local.office ? 1 : 0

  vpn_connection_id      = aws_vpn_connection.office[0].id
  destination_cidr_block = var.office_cidr
}

# Written out, not propagated: a plan shows them, and nothing that is not here appears by itself.
resource "aws_route" "office" {
  count = local.office ? length(var.route_table_ids) : 0

  route_table_id         = var.route_table_ids[count.index]
  destination_cidr_block = var.office_cidr
  gateway_id             = aws_vpn_gateway.this[0].id
}
