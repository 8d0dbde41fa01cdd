output "vpc_id" {
  description = "The VPC's id."
  value       = aws_vpc.this.id
}

output "cidr" {
  description = "The VPC's block."
  value       = aws_vpc.this.cidr_block
}

output "zones" {
  description = "The zones, in the order of every list of subnets."
  value       = var.zones
}

output "public_subnet_ids" {
  description = "Subnets with a route to the internet gateway, in zone order."
  value       = aws_subnet.public[*].id

  # With their way out: a machine fetches packages the moment it is made, and asks once.
  depends_on = [aws_route.public_internet, aws_route_table_association.public]
}

output "private_subnet_ids" {
  description = "Subnets for nodes and pods, in zone order."
  value       = aws_subnet.private[*].id

  depends_on = [aws_route.private_internet, aws_route_table_association.private]
}

output "private_subnet_cidrs" {
  description = "Blocks of the private subnets, in zone order."
  value       = aws_subnet.private[*].cidr_block
}

output "database_subnet_ids" {
  description = "Subnets for databases and caches, in zone order."
  value       = aws_subnet.database[*].id

  depends_on = [aws_route.database_internet, aws_route_table_association.database]
}

output "database_subnet_cidrs" {
  description = "Blocks of the database subnets, in zone order; the overlay's network policies let pods out to these."
  value       = aws_subnet.database[*].cidr_block
}

output "public_route_table_id" {
  description = "Route table of the public subnets."
  value       = aws_route_table.public.id
}

output "private_route_table_ids" {
  description = "Route tables of the private subnets, in zone order."
  value       = aws_route_table.private[*].id
}

output "database_route_table_ids" {
  description = "Route tables of the database subnets, in zone order."
  value       = aws_route_table.database[*].id
}

output "nat_public_ips" {
  description = "Addresses from which the private subnets reach the internet."
  value       = aws_eip.nat[*].public_ip
}
