output "writer_endpoint" {
  description = "host:port of the primary, whichever machine that is."
  value       = local.patroni ? "${aws_lb.this[0].dns_name}:${local.ports.postgres}" : aws_db_instance.this[0].endpoint
}

output "reader_endpoint" {
  description = "host:port of the replicas; with rds the primary's: a Multi-AZ standby answers nobody."
  value       = local.patroni ? "${aws_lb.this[0].dns_name}:${local.ports.reader}" : aws_db_instance.this[0].endpoint
}

output "nlb_dns" {
  description = "The load balancer's name; null with rds."
  value       = one(aws_lb.this[*].dns_name)
}

output "instance_ids" {
  description = "EC2 instances of the nodes, in order; empty with rds."
  value       = [for name in keys(local.nodes) : aws_instance.node[name].id]
}

output "node_addresses" {
  description = "Private address of each node, by name."
  value       = { for name, interface in aws_network_interface.node : name => interface.private_ip }
}

output "rds_instance_id" {
  description = "Identifier of the RDS instance; null with patroni."
  value       = one(aws_db_instance.this[*].identifier)
}

output "security_group_id" {
  description = "Group of the servers."
  value       = aws_security_group.database.id
}

output "secret_arns" {
  description = "Secrets: client (what clients may know), nodes (for the nodes alone; patroni), administrator (made by RDS; rds)."
  value = {
    client        = aws_secretsmanager_secret.client.arn
    nodes         = one(aws_secretsmanager_secret.nodes[*].arn)
    administrator = try(aws_db_instance.this[0].master_user_secret[0].secret_arn, null)
  }
}

output "backup_bucket" {
  description = "Bucket of pgBackRest's backups; null with rds."
  value       = one(aws_s3_bucket.backup[*].id)
}
