mock_provider "aws" {}

variables {
  name                       = "titanium"
  vpc_id                     = "vpc-0123456789abcdef0"
  subnet_ids                 = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  allowed_security_group_ids = { nodes = "sg-0123456789abcdef0" }
}

run "tls_is_required_and_data_encrypted" {
  command = plan

  assert {
    condition     = aws_elasticache_replication_group.this.transit_encryption_mode == "required" && tobool(aws_elasticache_replication_group.this.at_rest_encryption_enabled)
    error_message = "TLS and encryption at rest"
  }
}

run "failover_comes_with_replicas" {
  command = plan

  variables {
    replicas = 1
  }

  assert {
    condition     = aws_elasticache_replication_group.this.automatic_failover_enabled && aws_elasticache_replication_group.this.num_cache_clusters == 2
    error_message = "two nodes, failover"
  }
}

run "users_are_made_switched_off" {
  command = plan

  variables {
    users = { blog = "~blog:* +@read" }
  }

  assert {
    condition     = startswith(aws_elasticache_user.service["blog"].access_string, "off ") && startswith(aws_elasticache_user.default.access_string, "off ")
    error_message = "off until they have a password"
  }
}

# All at once: each is named, not the first alone.
run "every_mistake_is_refused" {
  command = plan

  variables {
    name           = "Titanium_Cache"
    replicas       = 1.5
    engine_version = "6.2"
    users          = { blog = "on ~* +@all" } # switched on without a password
    node_type      = "t4g.micro"              # a type of EC2
    subnet_ids     = ["subnet-0123456789abcdef0"]
  }

  expect_failures = [
    var.name, var.replicas, var.engine_version, var.users, var.node_type, var.subnet_ids,
  ]
}
