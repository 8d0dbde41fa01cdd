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

# Two database instances and a node group, on weekdays from 09:00 to 02:00 in Seoul.
module "schedule" {
  source = "../.."

  name         = "example"
  instance_ids = { database-1 = "i-0123456789abcdef0", database-2 = "i-0123456789abcdef1" }
  node_groups  = { example = { application = { min = 0, max = 5, desired = 3 } } }
}

output "expressions" {
  description = "What fires when."
  value       = module.schedule.expressions
}
