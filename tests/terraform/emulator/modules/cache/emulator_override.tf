# moto 5.2 knows users of ElastiCache. It has neither parameter groups nor user groups, cannot delete
# subnet groups, and its replication groups forget engine and encryption and have no members. Planned
# and checked with mocks instead.
resource "aws_elasticache_subnet_group" "this" {
  count = 0
}

resource "aws_elasticache_parameter_group" "this" {
  count = 0
}

resource "aws_elasticache_user_group" "this" {
  count = 0
}

resource "aws_elasticache_replication_group" "this" {
  count                = 0
  parameter_group_name = null
  subnet_group_name    = null
  user_group_ids       = []
}

output "endpoint" {
  value = "master.titanium.example.cache.amazonaws.com"
}

output "reader_endpoint" {
  value = "replica.titanium.example.cache.amazonaws.com"
}

output "port" {
  value = 6379
}
