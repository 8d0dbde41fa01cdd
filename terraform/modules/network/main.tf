# Addresses of 10.0.0.0/16 (the same shares of a smaller block):
#   public    10.0.0.0/24, 10.0.1.0/24, 10.0.2.0/24         load balancers, NAT, WireGuard
#   database  10.0.8.0/24, 10.0.9.0/24, 10.0.10.0/24        databases and caches
#   private   10.0.16.0/20, 10.0.32.0/20, 10.0.48.0/20      nodes; on EKS each pod has an address of these
# The rest is free for another zone or purpose.
locals {
  nat_count = { none = 0, one = 1, per_zone = length(var.zones) }[var.nat]

  # Of the balancers that Kubernetes makes: where it may put public and internal ones.
  cluster_tags = var.cluster_name == null ? {} : { "kubernetes.io/cluster/${var.cluster_name}" = "shared" }
}

data "aws_region" "current" {}

resource "aws_vpc" "this" {
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true # interface endpoints and EKS's private endpoint resolve inside
  tags                 = merge(var.tags, { Name = var.name })

  lifecycle {
    precondition {
      condition     = alltrue([for zone in var.zones : startswith(zone, data.aws_region.current.name)])
      error_message = "zones ${join(", ", var.zones)} are not all in the provider's region ${data.aws_region.current.name}."
    }
  }
}

# The group that AWS makes lets its members talk to each other: emptied, so that who is put into it by
# mistake can talk to nobody.
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id
  tags   = merge(var.tags, { Name = "${var.name}-default-unused" })
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id
  tags   = merge(var.tags, { Name = var.name })
}

resource "aws_subnet" "public" {
  count = length(var.zones)

  vpc_id            = aws_vpc.this.id
  availability_zone = var.zones[count.index]
  cidr_block        = cidrsubnet(var.cidr, 8, count.index)
  # What needs a public address says so itself.
  map_public_ip_on_launch = false
  tags = merge(var.tags, local.cluster_tags, {
    Name                     = "${var.name}-public-${var.zones[count.index]}"
    "kubernetes.io/role/elb" = "1"
  })
}

resource "aws_subnet" "private" {
  count = length(var.zones)

  vpc_id            = aws_vpc.this.id
  availability_zone = var.zones[count.index]
  cidr_block        = cidrsubnet(var.cidr, 4, count.index + 1)
  tags = merge(var.tags, local.cluster_tags, {
    Name                              = "${var.name}-private-${var.zones[count.index]}"
    "kubernetes.io/role/internal-elb" = "1"
  })
}

resource "aws_subnet" "database" {
  count = length(var.zones)

  vpc_id            = aws_vpc.this.id
  availability_zone = var.zones[count.index]
  cidr_block        = cidrsubnet(var.cidr, 8, count.index + 8)
  tags              = merge(var.tags, { Name = "${var.name}-database-${var.zones[count.index]}" })
}
