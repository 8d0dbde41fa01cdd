output "endpoint" {
  description = "Host name of the primary; it follows a failover."
  value       = aws_elasticache_replication_group.this.primary_endpoint_address
}

output "reader_endpoint" {
  description = "Host name that leads to the replicas."
  value       = aws_elasticache_replication_group.this.reader_endpoint_address
}

output "port" {
  description = "TLS port."
  value       = aws_elasticache_replication_group.this.port
}

output "security_group_id" {
  description = "Group of the nodes."
  value       = module.security_group.ids["cache"]
}

output "users" {
  description = "User id => access string, for set-cache-passwords.sh of the environment."
  value       = { for name, user in aws_elasticache_user.service : user.user_id => "on ${var.users[name]}" }
}
