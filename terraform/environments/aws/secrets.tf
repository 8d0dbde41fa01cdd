# The services' secrets, in the shape that External Secrets reads (k8s-manifests/components/external-secrets).
# Values are made while applying and written straight into Secrets Manager: neither plan nor state
# holds them. They are written again when secrets_version is raised, and only then.
locals {
  services = { for service in yamldecode(file("${path.module}/../services.yaml")).services : service.name => service.keys }
  secrets = merge(local.services, {
    redis = ["password", "monitor_password"]
    # Of an add-on, but nobody else's token: who signs in to Grafana as its administrator.
    grafana = ["password"]
  })
  values = { for pair in flatten([for secret, keys in local.secrets : [for key in keys : { secret = secret, key = key }]]) :
  "${pair.secret} ${pair.key}" => pair }

  # Names and access strings as k8s-manifests/components/external-secrets/redis.yaml has them.
  cache_users = {
    monitor = "resetkeys resetchannels -@all +info"
    blog    = "resetkeys ~blog:* resetchannels &blog:* +@all -@admin -@dangerous +client|setname +client|setinfo +client|id +client|tracking"
    user    = "resetkeys ~user:* resetchannels &user:* +@all -@admin -@dangerous +client|setname +client|setinfo +client|id +client|tracking"
  }
}

ephemeral "aws_secretsmanager_random_password" "this" {
  for_each = local.values

  password_length            = 64
  exclude_characters         = "ghijklmnopqrstuvwxyz" # hexadecimal: no shell, URL or file quotes it
  exclude_uppercase          = true
  exclude_punctuation        = true
  require_each_included_type = false
}

resource "aws_secretsmanager_secret" "this" {
  #checkov:skip=CKV2_AWS_57:Rotation is raising secrets_version: PostgreSQL's and the cache's users change with it, which no function of AWS's does.
  for_each = local.secrets

  name                    = "${var.name}-${each.key}"
  description             = "Of ${each.key}: ${join(", ", each.value)}"
  kms_key_id              = aws_kms_key.this.arn
  recovery_window_in_days = var.protect ? 30 : 0
}

resource "aws_secretsmanager_secret_version" "this" {
  for_each = local.secrets

  secret_id = aws_secretsmanager_secret.this[each.key].id
  secret_string_wo = jsonencode(merge(
    { for key in each.value : key => ephemeral.aws_secretsmanager_random_password.this["${each.key} ${key}"].random_password },
    each.key == "grafana" ? { user = "admin" } : {},
  ))
  secret_string_wo_version = var.secrets_version
}

# The cache's users get their passwords as soon as both exist. A script, because the provider would keep a
# password in the state: with the aws and jq of the machine that applies.
resource "terraform_data" "cache_users" {
  count = var.configure_cache ? 1 : 0

  triggers_replace = {
    secrets_version = var.secrets_version
    users           = module.cache.users
  }

  provisioner "local-exec" {
    command = "${path.module}/set-cache-passwords.sh"
    environment = {
      REGION      = var.region
      CACHE_USERS = jsonencode(module.cache.users)
    }
  }

  depends_on = [module.cache, aws_secretsmanager_secret_version.this]
}
