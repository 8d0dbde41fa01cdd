terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.90, < 6.0"
    }
  }
}

provider "aws" {
  region = "ap-northeast-2"

  default_tags {
    tags = { Project = "titanium", Environment = "example" }
  }
}

module "network" {
  source = "../../../network"

  name      = "example"
  zones     = ["ap-northeast-2a", "ap-northeast-2b"]
  nat       = "none"
  flow_logs = false
}

# Firewall, log bucket, zone and certificate; the load balancer comes from an Ingress here.
module "edge" {
  source = "../.."

  name               = "example"
  vpc_id             = module.network.vpc_id
  vpc_cidr           = module.network.cidr
  public_subnet_ids  = module.network.public_subnet_ids
  domain             = "example.org"
  create_zone        = true
  create_alb         = false
  force_destroy_logs = true
}

output "web_acl_arn" {
  description = "For the annotation alb.ingress.kubernetes.io/wafv2-acl-arn."
  value       = module.edge.web_acl_arn
}
