output "region" {
  description = "The region of everything but IAM and Route 53."
  value       = var.region
}

output "cluster_name" {
  description = "For aws eks update-kubeconfig --name."
  value       = module.kubernetes.cluster_name
}

output "cluster_endpoint" {
  description = "The API server, reached through a tunnel."
  value       = module.kubernetes.endpoint
}

output "role_arns" {
  description = "Roles of the cluster's parts, for the annotation eks.amazonaws.com/role-arn."
  value       = module.kubernetes.role_arns
}

output "overlay_settings" {
  description = "k8s-manifests/overlays/aws/settings.yaml, filled in: terraform output -raw overlay_settings."
  value = yamlencode({
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata = {
      name        = "aws-settings"
      annotations = { "config.kubernetes.io/local-config" = "true" }
    }
    data = {
      region           = var.region
      publicUrl        = "https://${var.domain}"
      host             = var.domain
      secretsRoleArn   = lookup(module.kubernetes.role_arns, "external-secrets", "")
      postgresHost     = split(":", module.database.writer_endpoint)[0]
      redisHost        = module.cache.endpoint
      redisExporterKey = "rediss://monitor@${coalesce(module.cache.endpoint, "unknown")}"
      # Three lines in the overlay; with two zones the last stands twice.
      databaseCidrA  = module.network.database_subnet_cidrs[0]
      databaseCidrB  = module.network.database_subnet_cidrs[1]
      databaseCidrC  = element(module.network.database_subnet_cidrs, min(2, length(var.zones) - 1))
      targetGroupArn = module.edge.target_group_arn
      # Prometheus' targets; none with RDS.
      databaseNodes = [for name, address in module.database.node_addresses : { labels = { instance = name }, targets = ["${address}:9100"] }]
    }
  })
}

output "alb_dns" {
  description = "The load balancer's own name: what the domain leads to."
  value       = module.edge.alb_dns
}

output "name_servers" {
  description = "What the parent zone must name, when the zone was made here."
  value       = module.edge.name_servers
}

output "nat_public_ips" {
  description = "Addresses that others see of the platform's own calls."
  value       = module.network.nat_public_ips
}

output "database" {
  description = "Endpoints (host:port) of the primary and of the replicas, and the nodes."
  value = {
    writer       = module.database.writer_endpoint
    reader       = module.database.reader_endpoint
    instance_ids = module.database.instance_ids
    # What provision-database.sh reads.
    mode     = var.database_mode
    secrets  = module.database.secret_arns
    services = { for database, service in local.database_services : database => aws_secretsmanager_secret.this[service].name }
  }
}

output "cache_users" {
  description = "ElastiCache user id => access string, read by set-cache-passwords.sh."
  value       = module.cache.users
}

output "secrets" {
  description = "Names in Secrets Manager."
  value       = sort([for secret in aws_secretsmanager_secret.this : secret.name])
}

output "vpn" {
  description = "What titanium vpn reads: networks, WireGuard's address, the office's connection."
  value = {
    networks             = { vpc = var.cidr, office = var.office_cidr, laptops = var.wireguard_cidr }
    wireguard_public_ip  = module.vpn.wireguard_public_ip
    wireguard_port       = var.wireguard_port
    connection_id        = module.vpn.vpn_connection_id
    tunnel_addresses     = module.vpn.tunnel_addresses
    wireguard_public_key = module.vpn.wireguard_public_key
    # Where the server writes it on its first boot, should it have been too late for this output.
    wireguard_public_key_parameter = module.vpn.wireguard_public_key_parameter
  }
}

output "schedule" {
  description = "When what is started and stopped; null when it is always on."
  value = one([for schedule in module.schedule : {
    timezone    = schedule.timezone
    expressions = schedule.expressions
  }])
}
