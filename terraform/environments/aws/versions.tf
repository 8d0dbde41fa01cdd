terraform {
  # 1.11: passwords are written without ever being in the state (write-only arguments).
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

provider "aws" {
  region = var.region

  # The wrong account is refused before anything is made in it.
  allowed_account_ids = var.account_id == null ? null : [var.account_id]

  default_tags {
    tags = {
      Project     = "titanium"
      Environment = var.environment
      ManagedBy   = "terraform"
    }
  }
}
