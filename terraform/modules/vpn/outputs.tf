output "vpn_connection_id" {
  description = "Site-to-Site connection, for `titanium vpn pfsense --connection`; null without an office."
  value       = one(aws_vpn_connection.office[*].id)
}

output "tunnel_addresses" {
  description = "AWS's public addresses of the two tunnels."
  value = local.office ? [
    aws_vpn_connection.office[0].tunnel1_address,
    aws_vpn_connection.office[0].tunnel2_address,
  ] : []
}

output "ipsec" {
  description = "Algorithms and lifetimes that the tunnels demand of the office."
  value       = local.ipsec
}

output "wireguard_public_ip" {
  description = "Where laptops connect to."
  value       = aws_eip.wireguard.public_ip
}

output "wireguard_endpoint" {
  description = "The same with the port, as laptops' files say it."
  value       = "${aws_eip.wireguard.public_ip}:${var.wireguard_port}"
}

output "wireguard_instance_id" {
  description = "The server. It has no Schedule tag: it stays on at night."
  value       = aws_instance.wireguard.id
}

output "wireguard_public_key" {
  description = "The server's public key, as of the last refresh; null until it has booted."
  value = (nonsensitive(aws_ssm_parameter.public_key.value) == module.server.unknown_public_key
  ? null : nonsensitive(aws_ssm_parameter.public_key.value))
}

output "wireguard_public_key_parameter" {
  description = "Where the server writes its public key."
  value       = aws_ssm_parameter.public_key.name
}

output "networks" {
  description = "The address plan."
  value       = { vpc = var.vpc_cidr, office = var.office_cidr, laptops = var.wireguard_cidr }
}

output "security_group_id" {
  description = "Of the WireGuard server."
  value       = aws_security_group.wireguard.id
}
