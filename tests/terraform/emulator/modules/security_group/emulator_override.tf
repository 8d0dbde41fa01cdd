# moto 5.2 forgets the description of a rule whose other side is a group.
resource "aws_vpc_security_group_ingress_rule" "this" {
  lifecycle {
    ignore_changes = [description]
  }
}

resource "aws_vpc_security_group_egress_rule" "this" {
  lifecycle {
    ignore_changes = [description]
  }
}
