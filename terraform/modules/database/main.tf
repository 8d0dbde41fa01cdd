# Two ways to the same thing: a PostgreSQL whose primary is under one name, whichever machine it is on.

data "aws_region" "current" {}

data "aws_partition" "current" {}

locals {
  patroni = var.mode == "patroni"
  rds     = var.mode == "rds"
  ports   = { postgres = 5432, reader = 5433, writer_proxy = 5000, reader_proxy = 5001, patroni = 8008, etcd_client = 2379, etcd_peer = 2380, node_exporter = 9100, ssh = 22 }

  # node => subnet; they go round the zones.
  nodes = local.patroni ? { for i in range(var.node_count) : "${var.name}-${i + 1}" => var.subnet_ids[i % length(var.subnet_ids)] } : {}
}

data "aws_subnet" "this" {
  for_each = local.nodes

  id = each.value
}

resource "aws_security_group" "database" {
  #checkov:skip=CKV2_AWS_5:Attached to the nodes' interfaces or to the RDS instance, by mode.
  name_prefix = "${var.name}-database-"
  description = "PostgreSQL of ${var.name}"
  vpc_id      = var.vpc_id
  tags        = { Name = "${var.name}-database" }

  lifecycle {
    create_before_destroy = true
  }
}
