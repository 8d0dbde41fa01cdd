# Profile standard: always on, no single zone whose loss shows, AWS runs the database.
nat       = "per_zone"
endpoints = ["s3", "sts", "secretsmanager", "logs"]

node_groups = {
  application = {
    instance_types = ["m5.xlarge"]
    arch           = "x86_64"
    min            = 3
    max            = 9
    desired        = 3
    disk_gib       = 50
  }
}
control_plane_log_types = ["api", "audit", "authenticator", "controllerManager", "scheduler"]

database_mode           = "rds"
database_instance_class = "db.t3.medium" # Multi-AZ: a standby in another zone
database_gib            = 50

cache_node_type = "cache.t3.small"
cache_replicas  = 1

office_hours = false
