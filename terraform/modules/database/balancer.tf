# One network load balancer, two listeners: 5432 leads to the primary, 5433 to the replicas. Which is
# which the nodes say themselves: Patroni answers 200 on /primary only while it holds the lock.

locals {
  check = local.patroni ? values(module.node)[0].health_check : null

  listeners = local.patroni ? {
    writer = { port = local.ports.postgres, path = local.check.writer_path }
    reader = { port = local.ports.reader, path = local.check.reader_path }
  } : {}

  targets = { for pair in setproduct(keys(local.listeners), keys(local.nodes)) : "${pair[0]}-${pair[1]}" => { listener = pair[0], node = pair[1] } }
}

resource "aws_lb" "this" {
  #checkov:skip=CKV_AWS_91:An NLB logs TLS listeners alone; PostgreSQL ends its TLS itself and logs its connections.
  count = local.patroni ? 1 : 0

  name               = "${var.name}-database"
  load_balancer_type = "network"
  internal           = true
  subnets            = var.subnet_ids
  security_groups    = [aws_security_group.balancer[0].id]

  # The primary is in one zone; without this, clients who are sent to the others' would find nobody.
  enable_cross_zone_load_balancing = true
  enable_deletion_protection       = var.deletion_protection
}

resource "aws_lb_target_group" "this" {
  #checkov:skip=CKV_AWS_378:TCP passes PostgreSQL's own TLS through; the servers refuse connections without.
  for_each = local.listeners

  name     = "${var.name}-${each.key}"
  vpc_id   = var.vpc_id
  protocol = "TCP"
  port     = local.ports.postgres
  # By address: a node that is replaced keeps its own, and stays a target.
  target_type = "ip"
  # The old primary refuses writes at once: there is nothing to wait for.
  deregistration_delay   = 0
  connection_termination = true

  health_check {
    protocol            = local.check.protocol
    port                = local.check.port
    path                = each.value.path
    matcher             = local.check.matcher
    interval            = local.check.interval
    timeout             = local.check.timeout
    healthy_threshold   = local.check.healthy_threshold
    unhealthy_threshold = local.check.unhealthy_threshold
  }

  # A pool must not stay with a server that is the primary no longer, where `SELECT 1` succeeds.
  target_health_state {
    enable_unhealthy_connection_termination = true
  }
}

resource "aws_lb_listener" "this" {
  for_each = local.listeners

  load_balancer_arn = aws_lb.this[0].arn
  protocol          = "TCP"
  port              = each.value.port

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this[each.key].arn
  }
}

resource "aws_lb_target_group_attachment" "this" {
  for_each = local.targets

  target_group_arn = aws_lb_target_group.this[each.value.listener].arn
  target_id        = aws_network_interface.node[each.value.node].private_ip
  port             = local.ports.postgres
}
