# The office and one laptop, in a VPC that exists. What a caller of the module must say, no more.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 6"
    }
  }
}

provider "aws" {
  region = "ap-northeast-2"

  default_tags {
    tags = { Project = "titanium", Environment = "example", ManagedBy = "terraform" }
  }
}

variable "ami_id" {
  description = "Image of the server; null takes the newest Debian 12."
  type        = string
  default     = null
}

resource "aws_vpc" "this" {
  #checkov:skip=CKV2_AWS_11:An example; the module network logs its flows.
  #checkov:skip=CKV2_AWS_12:An example; the module network closes the default group.
  cidr_block = "10.0.0.0/16"
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id
}

resource "aws_subnet" "public" {
  vpc_id            = aws_vpc.this.id
  cidr_block        = "10.0.0.0/24"
  availability_zone = "ap-northeast-2a"
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.this.id
}

resource "aws_route" "internet" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this.id
}

resource "aws_route_table_association" "public" {
  subnet_id      = aws_subnet.public.id
  route_table_id = aws_route_table.public.id
}

module "vpn" {
  source = "../.."

  name             = "example"
  vpc_id           = aws_vpc.this.id
  public_subnet_id = aws_subnet.public.id
  route_table_ids  = [aws_route_table.public.id]
  office_public_ip = "203.0.113.10"
  ami_id           = var.ami_id

  peers = [{
    name       = "alice"
    public_key = "DqRwT4OJdGdnSkPoUVmzGmzbJLfA9XjCvHCt0VjKBQo="
    address    = "172.16.60.2"
  }]
}

output "vpn" {
  description = "Everything that the module says."
  value       = module.vpn
}
