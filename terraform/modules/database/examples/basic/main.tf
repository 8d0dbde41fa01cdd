# Three Patroni nodes in a network of their own. `terraform init && terraform apply`.
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
}

variable "ami_id" {
  description = "Debian 12 image; null: Debian's newest."
  type        = string
  default     = null
}

module "network" {
  source = "../../../network"

  name      = "example"
  cidr      = "10.0.0.0/16"
  zones     = ["ap-northeast-2a", "ap-northeast-2b", "ap-northeast-2c"]
  nat       = "one"
  flow_logs = false
}

module "database" {
  source = "../.."

  name                = "example"
  vpc_id              = module.network.vpc_id
  subnet_ids          = module.network.database_subnet_ids
  allowed_cidrs       = [module.network.cidr]
  ami_id              = var.ami_id
  deletion_protection = false # an example goes as easily as it came
}

output "writer_endpoint" {
  description = "host:port of the primary."
  value       = module.database.writer_endpoint
}
