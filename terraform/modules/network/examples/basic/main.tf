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

# Three zones behind one NAT gateway, apart from the networks behind the tunnels.
module "network" {
  source = "../.."

  name           = "example"
  zones          = ["ap-northeast-2a", "ap-northeast-2b", "ap-northeast-2c"]
  nat            = "one"
  reserved_cidrs = { office = "172.16.4.0/24", laptops = "172.16.60.0/24" }
}

output "database_subnet_cidrs" {
  description = "Blocks of the database subnets."
  value       = module.network.database_subnet_cidrs
}
