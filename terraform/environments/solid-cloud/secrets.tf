# What docs/how-to/deploy-solid-cloud.md makes by hand: External Secrets copies from here what each part
# needs. Values are made while applying; neither plan nor state holds them.
locals {
  services = { for service in yamldecode(file("${path.module}/../services.yaml")).services : "titanium-${service.name}" => service.keys }
  secrets = merge(local.services, {
    titanium-redis    = ["password", "monitor_password"]
    titanium-postgres = ["password", "monitor_password"]
    titanium-grafana  = ["password"]
  })
  values = toset(flatten([for secret, keys in local.secrets : [for key in keys : "${secret} ${key}"]]))
}

ephemeral "random_password" "this" {
  for_each = local.values

  length  = 48
  special = false # no shell, URL or file quotes it
}

resource "kubernetes_secret_v1" "this" {
  for_each = local.secrets

  metadata {
    name      = each.key
    namespace = kubernetes_namespace_v1.secrets.metadata[0].name
  }

  data_wo = merge(
    { for key in each.value : key => ephemeral.random_password.this["${each.key} ${key}"].result },
    each.key == "titanium-grafana" ? { user = "admin" } : {},
    each.key == "titanium-postgres" ? {
      backup_access_key_id     = var.backup_access_key.id
      backup_secret_access_key = var.backup_access_key.secret
    } : {},
  )
  data_wo_revision = var.secrets_version
}
