# One network load balancer, two listeners: 5432 leads to the primary, 5433 to the replicas. Which is
# which the nodes say themselves: Patroni answers 200 on /primary only while it holds the lock. The
# balancer needs ten seconds to see a change, so that its target is a proxy on each node, which asks every
# second and passes on to whoever leads now (modules/node/templates/haproxy.cfg.tftpl, docs/adr/0040).

locals {
  check = local.patroni ? values(module.node)[0].health_check : null

  listeners = local.patroni ? {
    writer = { port = local.ports.postgres, path = local.check.writer_path, proxy = local.ports.writer_proxy }
    reader = { port = local.ports.reader, path = local.check.reader_path, proxy = local.ports.reader_proxy }
  } : {}

  targets = { for pair in setproduct(keys(local.listeners), keys(local.nodes)) : "${pair[0]}-${pair[1]}" => { listener = pair[0], node = pair[1] } }
}

resource "aws_lb" "this" {
  #checkov:skip=CKV_AWS_91:An NLB logs TLS listeners alone; PostgreSQL ends its TLS itself and logs its connections.
  #checkov:skip=CKV_AWS_150:deletion_protection is the caller's, true by default; the examples are made to be thrown away.
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
  port     = each.value.proxy
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

  # A machine that is gone says nothing: without this its clients would wait for the kernel to give up.
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
  port             = local.listeners[each.value.listener].proxy
}
