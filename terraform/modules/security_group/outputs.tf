output "ids" {
  description = "Group key => security group id."
  value       = { for key, group in aws_security_group.this : key => group.id }
}
