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

module "clients" {
  source = "../../../security_group"

  name   = "example"
  vpc_id = module.network.vpc_id
  groups = { clients = "What uses the cache" }
}

module "cache" {
  source = "../.."

  name                       = "example"
  vpc_id                     = module.network.vpc_id
  subnet_ids                 = module.network.database_subnet_ids
  allowed_security_group_ids = { clients = module.clients.ids["clients"] }
  users                      = { blog = "~blog:* &blog:* +@all -@admin -@dangerous" }
}

output "endpoint" {
  description = "Host of the primary; port 6379, TLS."
  value       = module.cache.endpoint
}
