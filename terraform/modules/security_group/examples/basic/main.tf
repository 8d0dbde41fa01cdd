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

# Web servers that everybody may call, and a database that only they may.
module "security_group" {
  source = "../.."

  name         = "example"
  vpc_id       = module.network.vpc_id
  groups       = { web = "Web servers", data = "Databases" }
  public_ports = ["tcp/443"]
  rules = {
    https = {
      of          = "web"
      description = "HTTPS from everywhere"
      type        = "ingress"
      from_port   = 443
      to_port     = 443
      cidrs       = ["0.0.0.0/0"]
    }
    data_from_web = {
      of          = "data"
      description = "PostgreSQL from the web servers"
      type        = "ingress"
      from_port   = 5432
      to_port     = 5432
      group       = "web"
    }
  }
}

output "ids" {
  description = "Group key => id."
  value       = module.security_group.ids
}
