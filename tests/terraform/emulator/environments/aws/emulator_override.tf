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
