# Valkey with TLS, encryption at rest and a user for each service. A cache and a message channel:
# nothing is only here, so it is neither backed up nor made to survive at any price.
module "security_group" {
  source = "../security_group"

  name   = var.name
  vpc_id = var.vpc_id
  groups = { cache = "ElastiCache nodes" }
  rules = {
    for client, id in var.allowed_security_group_ids : "cache_from_${client}" => {
      of                = "cache"
      description       = "Valkey over TLS from ${client}"
      type              = "ingress"
      from_port         = 6379
      to_port           = 6379
      security_group_id = id
    }
  }
  tags = var.tags
}

resource "aws_elasticache_subnet_group" "this" {
  name        = var.name
  description = "Database subnets of ${var.name}"
  subnet_ids  = var.subnet_ids
  tags        = var.tags
}

resource "aws_elasticache_parameter_group" "this" {
  name        = "${var.name}-valkey8"
  description = "Evicts what was used least, as a cache should"
  family      = "valkey${split(".", var.engine_version)[0]}"
  tags        = var.tags

  # The default, volatile-lru, refuses writes when what has no expiry fills the memory.
  parameter {
    name  = "maxmemory-policy"
    value = "allkeys-lru"
  }
}

resource "aws_elasticache_replication_group" "this" {
  #checkov:skip=CKV_AWS_31:Access is by user and password (user group); an auth token would be one password for all and lie in the state.
  #checkov:skip=CKV2_AWS_50:Failover comes with replicas (0 in profile light); the loss of the cache costs speed, no data.
  replication_group_id = var.name
  description          = "Cache and message channel of ${var.name}"
  engine               = "valkey"
  engine_version       = var.engine_version
  node_type            = var.node_type
  port                 = 6379
  parameter_group_name = aws_elasticache_parameter_group.this.name

  num_cache_clusters         = var.replicas + 1
  automatic_failover_enabled = var.replicas > 0
  multi_az_enabled           = var.replicas > 0

  subnet_group_name  = aws_elasticache_subnet_group.this.name
  security_group_ids = [module.security_group.ids["cache"]]
  user_group_ids     = [aws_elasticache_user_group.this.user_group_id]

  transit_encryption_enabled = true
  transit_encryption_mode    = "required"
  at_rest_encryption_enabled = true
  kms_key_id                 = var.kms_key_arn

  snapshot_retention_limit   = 0 # a cache: an old one is worse than an empty one
  auto_minor_version_upgrade = true
  maintenance_window         = "sun:18:00-sun:19:00" # UTC; Monday 03:00 in Seoul
  apply_immediately          = true
  tags                       = merge(var.tags, { Name = var.name })
}
