# AWS's services over the VPC's own addresses: their traffic neither pays NAT nor leaves the network.
locals {
  interface_endpoints = setsubtract(var.endpoints, ["s3"])
}

resource "aws_vpc_endpoint" "s3" {
  count = contains(var.endpoints, "s3") ? 1 : 0

  vpc_id            = aws_vpc.this.id
  service_name      = "com.amazonaws.${data.aws_region.current.name}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = concat(aws_route_table.private[*].id, aws_route_table.database[*].id)
  tags              = merge(var.tags, { Name = "${var.name}-s3" })
}

module "endpoint_security_group" {
  source = "../security_group"
  count  = length(local.interface_endpoints) > 0 ? 1 : 0

  name   = var.name
  vpc_id = aws_vpc.this.id
  groups = { endpoints = "Interface endpoints of AWS services" }
  rules = {
    endpoints_from_vpc = {
      of          = "endpoints"
      description = "HTTPS from everything in the VPC"
      type        = "ingress"
      from_port   = 443
      to_port     = 443
      cidrs       = [var.cidr]
    }
  }
  tags = var.tags
}

resource "aws_vpc_endpoint" "interface" {
  for_each = local.interface_endpoints

  vpc_id              = aws_vpc.this.id
  service_name        = "com.amazonaws.${data.aws_region.current.name}.${each.key}"
  vpc_endpoint_type   = "Interface"
  subnet_ids          = aws_subnet.private[*].id
  security_group_ids  = [module.endpoint_security_group[0].ids["endpoints"]]
  private_dns_enabled = true # the public names lead to it: no client is configured
  tags                = merge(var.tags, { Name = "${var.name}-${each.key}" })
}
