# Buckets by path: names such as BUCKET.127.0.0.1 do not resolve.
provider "aws" {
  s3_use_path_style = true
}

# Forgotten, as in module security_group.
resource "aws_vpc_security_group_ingress_rule" "gateway" {
  lifecycle {
    ignore_changes = [description]
  }
}

# moto 5.2 cannot modify a user of ElastiCache. A test runs the script with another `aws`.
resource "terraform_data" "cache_users" {
  count = 0
}
