terraform {
  required_version = ">= 1.9" # validations that compare two variables

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 6" # 5.100 is the first with preshared_key_storage
    }
  }
}
