# moto 5.2 forgets the description of a rule whose other side is a group.
resource "aws_vpc_security_group_ingress_rule" "client" {
  lifecycle {
    ignore_changes = [description]
  }
}

resource "aws_vpc_security_group_ingress_rule" "balancer" {
  lifecycle {
    ignore_changes = [description]
  }
}

resource "aws_vpc_security_group_ingress_rule" "node" {
  lifecycle {
    ignore_changes = [description]
  }
}

resource "aws_vpc_security_group_ingress_rule" "node_exporter" {
  lifecycle {
    ignore_changes = [description]
  }
}

resource "aws_vpc_security_group_egress_rule" "balancer" {
  lifecycle {
    ignore_changes = [description]
  }
}

resource "aws_vpc_security_group_egress_rule" "node" {
  lifecycle {
    ignore_changes = [description]
  }
}

# moto 5.2 keeps an interface attached to an instance that has ended, and refuses to detach it: nothing
# could be destroyed. Here instances have interfaces of their own.
resource "aws_instance" "node" {
  subnet_id              = each.value
  vpc_security_group_ids = [aws_security_group.database.id]

  dynamic "network_interface" {
    for_each = toset([])

    content {
      device_index         = 0
      network_interface_id = ""
    }
  }
}

# It shows a parameter group's parameters without their source: the provider takes them for AWS's own.
resource "aws_db_parameter_group" "this" {
  lifecycle {
    create_before_destroy = true
    ignore_changes        = [parameter]
  }
}
