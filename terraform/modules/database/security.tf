# Who may talk to whom. Clients reach the load balancer, the load balancer the nodes' proxies, the nodes each
# other; nothing reaches them from the internet, and etcd and Patroni are for the nodes alone.

resource "aws_security_group" "balancer" {
  #checkov:skip=CKV2_AWS_5:Attached to the load balancer in mode patroni.
  count = local.patroni ? 1 : 0

  name_prefix = "${var.name}-database-lb-"
  description = "Load balancer in front of PostgreSQL of ${var.name}"
  vpc_id      = var.vpc_id
  tags        = { Name = "${var.name}-database-lb" }

  lifecycle {
    create_before_destroy = true
  }
}

locals {
  front = local.patroni ? aws_security_group.balancer[0].id : aws_security_group.database.id

  front_ports = local.patroni ? { writer = local.ports.postgres, reader = local.ports.reader } : { writer = local.ports.postgres }

  clients = merge(
    { for pair in setproduct(keys(var.allowed_security_group_ids), keys(local.front_ports)) : "${pair[0]}-${pair[1]}" => {
      group = var.allowed_security_group_ids[pair[0]], cidr = null, port = local.front_ports[pair[1]], who = pair[0]
    } },
    { for pair in setproduct(var.allowed_cidrs, keys(local.front_ports)) : "${pair[0]}-${pair[1]}" => {
      group = null, cidr = pair[0], port = local.front_ports[pair[1]], who = pair[0]
    } },
  )

  # Between the nodes, and to them from the load balancer.
  inner = local.patroni ? {
    postgres    = { port = local.ports.postgres, what = "PostgreSQL: replication, pg_rewind, clients by way of the proxies" }
    patroni     = { port = local.ports.patroni, what = "Patroni: members ask each other (mutual TLS)" }
    etcd_client = { port = local.ports.etcd_client, what = "etcd: the store of Patroni (mutual TLS)" }
    etcd_peer   = { port = local.ports.etcd_peer, what = "etcd: its members (mutual TLS)" }
  } : {}
  balanced = local.patroni ? {
    writer  = { port = local.ports.writer_proxy, what = "proxy to the primary" }
    reader  = { port = local.ports.reader_proxy, what = "proxy to the replicas" }
    patroni = { port = local.ports.patroni, what = "health check: who leads" }
  } : {}
}

resource "aws_vpc_security_group_ingress_rule" "client" {
  for_each = local.clients

  security_group_id            = local.front
  description                  = "PostgreSQL from ${each.value.who}"
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  referenced_security_group_id = each.value.group
  cidr_ipv4                    = each.value.cidr
}

resource "aws_vpc_security_group_egress_rule" "balancer" {
  for_each = local.balanced

  security_group_id            = aws_security_group.balancer[0].id
  description                  = each.value.what
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  referenced_security_group_id = aws_security_group.database.id
}

resource "aws_vpc_security_group_ingress_rule" "balancer" {
  for_each = local.balanced

  security_group_id            = aws_security_group.database.id
  description                  = "${each.value.what}, from the load balancer"
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  referenced_security_group_id = aws_security_group.balancer[0].id
}

resource "aws_vpc_security_group_ingress_rule" "node" {
  for_each = local.inner

  security_group_id            = aws_security_group.database.id
  description                  = each.value.what
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  referenced_security_group_id = aws_security_group.database.id
}

resource "aws_vpc_security_group_egress_rule" "node" {
  for_each = local.inner

  security_group_id            = aws_security_group.database.id
  description                  = each.value.what
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  referenced_security_group_id = aws_security_group.database.id
}

# Figures about the machine, over plain HTTP: nothing in them is secret, and nothing can be changed there.
resource "aws_vpc_security_group_ingress_rule" "node_exporter" {
  for_each = local.patroni ? var.monitor_security_group_ids : {}

  security_group_id            = aws_security_group.database.id
  description                  = "node_exporter: disks, memory, CPU, read by ${each.key}"
  ip_protocol                  = "tcp"
  from_port                    = local.ports.node_exporter
  to_port                      = local.ports.node_exporter
  referenced_security_group_id = each.value
}

resource "aws_vpc_security_group_ingress_rule" "ssh" {
  for_each = local.patroni && var.ssh_key_name != null ? toset(var.admin_cidrs) : toset([])

  security_group_id = aws_security_group.database.id
  description       = "SSH from ${each.value}"
  ip_protocol       = "tcp"
  from_port         = local.ports.ssh
  to_port           = local.ports.ssh
  cidr_ipv4         = each.value
}

# Debian's mirrors have no fixed addresses, nor have S3 and Secrets Manager without endpoints.
resource "aws_vpc_security_group_egress_rule" "out" {
  for_each = local.patroni ? { http = 80, https = 443 } : {}

  security_group_id = aws_security_group.database.id
  description       = "Packages of Debian, S3, Secrets Manager (${each.key})"
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
  cidr_ipv4         = "0.0.0.0/0"
}
