# What a person may get wrong is said before anything is made. No account: the provider is a stand-in.
mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { name = "ap-northeast-2" }
  }
  mock_data "aws_ec2_instance_type" {
    defaults = { memory_size = 8192 }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_subnet" {
    defaults = { availability_zone = "ap-northeast-2a" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_resource "aws_lb" {
    defaults = { arn = "arn:aws:elasticloadbalancing:ap-northeast-2:111122223333:loadbalancer/net/x/0", dns_name = "x.elb.ap-northeast-2.amazonaws.com" }
  }
  mock_resource "aws_lb_target_group" {
    defaults = { arn = "arn:aws:elasticloadbalancing:ap-northeast-2:111122223333:targetgroup/x/0" }
  }
  mock_resource "aws_network_interface" {
    defaults = { private_ip = "10.0.20.10" }
  }
}

variables {
  name       = "titanium"
  vpc_id     = "vpc-0"
  subnet_ids = ["subnet-a", "subnet-b", "subnet-c"]
  ami_id     = "ami-0123456789abcdef0"
}

run "three_nodes_over_three_subnets" {
  command = apply

  assert {
    condition     = length(aws_instance.node) == 3 && length(distinct([for interface in aws_network_interface.node : interface.subnet_id])) == 3
    error_message = "there should be one node in each of three subnets"
  }
  assert {
    condition     = alltrue([for node in aws_instance.node : node.metadata_options[0].http_tokens == "required"])
    error_message = "IMDSv2 should be demanded"
  }
  assert {
    condition     = alltrue([for volume in aws_ebs_volume.data : volume.encrypted]) && alltrue([for node in aws_instance.node : node.root_block_device[0].encrypted])
    error_message = "every disk should be encrypted"
  }
  assert {
    condition     = aws_lb_target_group.this["writer"].health_check[0].path == "/primary" && aws_lb_target_group.this["reader"].health_check[0].path == "/replica" && aws_lb_target_group.this["writer"].health_check[0].port == "8008"
    error_message = "the targets should be asked on :8008 who leads"
  }
  assert {
    condition     = aws_lb_target_group.this["writer"].port == 5000 && aws_lb_target_group.this["reader"].port == 5001
    error_message = "the targets should be the nodes' proxies"
  }
  assert {
    condition     = strcontains(module.node["titanium-1"].user_data, "shared_buffers: 2048MB")
    error_message = "PostgreSQL's memory should follow from the instance type's"
  }
  assert {
    condition     = aws_lb.this[0].internal && aws_lb.this[0].enable_cross_zone_load_balancing
    error_message = "the load balancer should be internal and reach every zone"
  }
  assert {
    condition     = output.writer_endpoint == "x.elb.ap-northeast-2.amazonaws.com:5432" && output.reader_endpoint == "x.elb.ap-northeast-2.amazonaws.com:5433"
    error_message = "endpoints should be host:port"
  }
}

run "rds_is_in_two_zones_and_private" {
  command = plan
  variables { mode = "rds" }

  assert {
    condition     = aws_db_instance.this[0].multi_az && !aws_db_instance.this[0].publicly_accessible && aws_db_instance.this[0].storage_encrypted && aws_db_instance.this[0].manage_master_user_password
    error_message = "RDS should be Multi-AZ, private, encrypted, with a password of its own making"
  }
  assert {
    condition     = length(aws_instance.node) == 0 && length(aws_lb.this) == 0
    error_message = "mode rds should make no nodes"
  }
}

run "one_node_the_same_subnet_twice_and_a_time_without_zone_are_refused" {
  command = plan

  variables {
    node_count = 1
    subnet_ids = ["subnet-a", "subnet-a"]
    restore    = { cluster = "titanium-old", bucket = "titanium-postgres-backup-0", target = "2026-11-20 14:05" }
  }

  expect_failures = [var.node_count, var.subnet_ids, var.restore]
}

# A restore's name is compared with it: alone.
run "bad_names_are_refused" {
  command = plan
  variables { name = "Titanium_DB" }
  expect_failures = [var.name]
}

# All at once: each is named, not the first alone.
run "every_other_mistake_is_refused" {
  command = plan

  variables {
    node_count         = 4
    mode               = "aurora"
    subnet_ids         = ["subnet-a"]
    allowed_cidrs      = ["0.0.0.0/0"]
    admin_cidrs        = ["0.0.0.0/0"]
    instance_type      = "t2.micro"
    archive_timeout    = 600
    restore            = { cluster = "titanium", bucket = "titanium-postgres-backup-0" } # over itself
    data_gib           = 5
    backup_days        = 90
    memory_mib         = 512
    services           = { "my-blog" = "arn:aws:secretsmanager:ap-northeast-2:111122223333:secret:x" }
    ami_id             = "debian-12"
    rds_instance_class = "t3.medium"
    rds_version        = "14"
  }

  expect_failures = [
    var.node_count, var.mode, var.subnet_ids, var.allowed_cidrs, var.admin_cidrs, var.instance_type,
    var.archive_timeout, var.restore, var.data_gib, var.backup_days, var.memory_mib, var.services,
    var.ami_id, var.rds_instance_class, var.rds_version,
  ]
}
