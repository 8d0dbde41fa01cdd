# The provider would keep a password in the state. So users are made switched off, with a password
# that is of no use, and get theirs from Secrets Manager afterwards (set-cache-passwords.sh of the environment).
locals {
  # Valkey takes no user without one; nobody can sign in as a user that is off.
  useless = { for user in concat(["default"], keys(var.users)) : user => [sha256("${var.name} ${user} is switched off")] }
}

resource "aws_elasticache_user" "default" {
  user_id       = "${var.name}-default"
  user_name     = "default"
  engine        = "valkey"
  access_string = "off ~* -@all"
  tags          = var.tags

  authentication_mode {
    type      = "password"
    passwords = local.useless["default"]
  }
}

resource "aws_elasticache_user" "service" {
  for_each = var.users

  user_id       = "${var.name}-${each.key}"
  user_name     = each.key
  engine        = "valkey"
  access_string = "off ${each.value}"
  tags          = var.tags

  authentication_mode {
    type      = "password"
    passwords = local.useless[each.key]
  }

  lifecycle {
    # Switched on and given a password outside; terraform must not undo it.
    ignore_changes = [access_string, authentication_mode]
  }
}

resource "aws_elasticache_user_group" "this" {
  user_group_id = var.name
  engine        = "valkey"
  user_ids      = concat([aws_elasticache_user.default.user_id], values(aws_elasticache_user.service)[*].user_id)
  tags          = var.tags
}
