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

resource "aws_kms_key" "this" {
  #checkov:skip=CKV2_AWS_64:The default policy, which leaves the decision to IAM, does for an example.
  description         = "Everything at rest in the example"
  enable_key_rotation = true
}

# Kubernetes by kubeadm on three small Graviton instances, with one group of workers. Leave mode out
# for EKS.
module "kubernetes" {
  source = "../.."

  name        = "example"
  mode        = "kubeadm"
  vpc_id      = module.network.vpc_id
  subnet_ids  = module.network.private_subnet_ids
  kms_key_arn = aws_kms_key.this.arn
  node_groups = {
    application = {
      instance_types = ["t4g.large"]
      min            = 1
      max            = 3
      desired        = 2
    }
  }
}

output "endpoint" {
  description = "The API server."
  value       = module.kubernetes.endpoint
}
