# The hybrid platform: network, cluster, database, cache, public side, tunnels, schedule.
locals {
  # Of what `titanium schedule` and the schedule itself may touch.
  scheduled = {
    for tier in ["database", "application"] : tier => var.office_hours ? { Schedule = "office-hours", Tier = tier } : {}
  }
  tunnels = [var.office_cidr, var.wireguard_cidr]

  # Database => service; a database has no hyphen.
  database_services = { for service, keys in local.services : replace(service, "-", "_") => service if contains(keys, "database_password") }
}

module "network" {
  source = "../../modules/network"

  name           = var.name
  cidr           = var.cidr
  zones          = var.zones
  nat            = var.nat
  endpoints      = var.endpoints
  cluster_name   = var.name
  flow_log_days  = var.log_days
  reserved_cidrs = { office = var.office_cidr, laptops = var.wireguard_cidr }
  kms_key_arn    = aws_kms_key.this.arn
}

module "kubernetes" {
  source = "../../modules/kubernetes"

  name                   = var.name
  mode                   = var.kubernetes_mode
  kubernetes_version     = var.kubernetes_version
  vpc_id                 = module.network.vpc_id
  subnet_ids             = module.network.private_subnet_ids
  node_groups            = var.node_groups
  node_group_tags        = local.scheduled["application"]
  endpoint_public_cidrs  = var.endpoint_public_cidrs
  endpoint_private_cidrs = local.tunnels
  administrator_arns     = var.administrator_arns
  service_accounts       = local.service_accounts
  log_types              = var.control_plane_log_types
  log_days               = var.log_days
  kms_key_arn            = aws_kms_key.this.arn
}

module "database" {
  source = "../../modules/database"

  name                       = var.name
  mode                       = var.database_mode
  vpc_id                     = module.network.vpc_id
  subnet_ids                 = module.network.database_subnet_ids
  instance_type              = var.database_instance_type
  rds_instance_class         = var.database_instance_class
  node_count                 = var.database_node_count
  data_gib                   = var.database_gib
  services                   = { for database, service in local.database_services : database => aws_secretsmanager_secret.this[service].arn }
  allowed_security_group_ids = { nodes = module.kubernetes.node_security_group_id }
  monitor_security_group_ids = { nodes = module.kubernetes.node_security_group_id }
  allowed_cidrs              = local.tunnels
  ssh_key_name               = var.database_ssh_key_name
  admin_cidrs                = local.tunnels
  deletion_protection        = var.protect
  log_days                   = var.log_days
  kms_key_arn                = aws_kms_key.this.arn
  tags                       = local.scheduled["database"]
}

module "cache" {
  source = "../../modules/cache"

  name                       = var.name
  vpc_id                     = module.network.vpc_id
  subnet_ids                 = module.network.database_subnet_ids
  node_type                  = var.cache_node_type
  replicas                   = var.cache_replicas
  allowed_security_group_ids = { nodes = module.kubernetes.node_security_group_id }
  users                      = local.cache_users
  kms_key_arn                = aws_kms_key.this.arn
}

module "edge" {
  source = "../../modules/edge"

  name                = var.name
  vpc_id              = module.network.vpc_id
  vpc_cidr            = module.network.cidr
  public_subnet_ids   = module.network.public_subnet_ids
  domain              = var.domain
  create_zone         = var.create_zone
  zone_id             = var.zone_id
  certificate_arn     = var.certificate_arn
  rate_limit          = var.rate_limit
  access_log_days     = var.log_days
  deletion_protection = var.protect
  force_destroy_logs  = !var.protect
  kms_key_arn         = aws_kms_key.this.arn
}

# The load balancer calls the gateway's pods, which are in the nodes' group.
resource "aws_vpc_security_group_ingress_rule" "gateway" {
  #checkov:skip=CKV_AWS_260:From the load balancer's group alone, which checkov does not follow into the module.
  for_each = { requests = 80, health = 15021 }

  security_group_id            = module.kubernetes.node_security_group_id
  referenced_security_group_id = module.edge.security_group_id
  description                  = "Load balancer to the pods of the ingress gateway (${each.key})"
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value
}

module "vpn" {
  source = "../../modules/vpn"

  name             = var.name
  vpc_id           = module.network.vpc_id
  vpc_cidr         = module.network.cidr
  office_cidr      = var.office_cidr
  office_public_ip = var.office_public_ip
  route_table_ids  = concat(module.network.private_route_table_ids, module.network.database_route_table_ids)
  public_subnet_id = module.network.public_subnet_ids[0]
  wireguard_cidr   = var.wireguard_cidr
  wireguard_port   = var.wireguard_port
  peers            = var.vpn_peers
}

module "schedule" {
  source = "../../modules/schedule"
  count  = var.office_hours ? 1 : 0

  name         = var.name
  timezone     = var.timezone
  start        = var.start
  stop         = var.stop
  instance_ids = { for index, id in module.database.instance_ids : "database-${index + 1}" => id }
  # RDS, too: it would start by itself after seven days, which no night or weekend is.
  rds_instance_ids = var.database_mode == "rds" ? { database = module.database.rds_instance_id } : {}
  node_groups      = { (module.kubernetes.cluster_name) = module.kubernetes.node_group_sizes }
  use_kms_key      = true
  kms_key_arn      = aws_kms_key.this.arn
}
