# Groups and rules are resources of their own: a group may then name another that names it.
locals {
  # One resource has one other side: a rule with several networks becomes several.
  rules = merge([
    for name, rule in var.rules : length(rule.cidrs) == 0 ? {
      (name) = merge(rule, { cidr = null })
      } : {
      for cidr in rule.cidrs : (length(rule.cidrs) == 1 ? name : "${name} ${cidr}") => merge(rule, { cidr = cidr })
    }
  ]...)
}

resource "aws_security_group" "this" {
  #checkov:skip=CKV2_AWS_5:The groups are attached by the modules that ask for them.
  for_each = var.groups

  name        = "${var.name}-${replace(each.key, "_", "-")}"
  description = each.value
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.name}-${replace(each.key, "_", "-")}" })
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  for_each = { for name, rule in local.rules : name => rule if rule.type == "ingress" }

  security_group_id = aws_security_group.this[each.value.of].id
  description       = each.value.description
  ip_protocol       = each.value.protocol
  from_port         = each.value.protocol == "-1" ? null : each.value.from_port
  to_port           = each.value.protocol == "-1" ? null : each.value.to_port
  cidr_ipv4         = each.value.cidr
  prefix_list_id    = each.value.prefix_list_id
  referenced_security_group_id = (
    each.value.self ? aws_security_group.this[each.value.of].id
    : each.value.group != null ? aws_security_group.this[each.value.group].id
    : each.value.security_group_id
  )
  tags = merge(var.tags, { Name = each.key })
}

resource "aws_vpc_security_group_egress_rule" "this" {
  for_each = { for name, rule in local.rules : name => rule if rule.type == "egress" }

  security_group_id = aws_security_group.this[each.value.of].id
  description       = each.value.description
  ip_protocol       = each.value.protocol
  from_port         = each.value.protocol == "-1" ? null : each.value.from_port
  to_port           = each.value.protocol == "-1" ? null : each.value.to_port
  cidr_ipv4         = each.value.cidr
  prefix_list_id    = each.value.prefix_list_id
  referenced_security_group_id = (
    each.value.self ? aws_security_group.this[each.value.of].id
    : each.value.group != null ? aws_security_group.this[each.value.group].id
    : each.value.security_group_id
  )
  tags = merge(var.tags, { Name = each.key })
}
