mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { name = "ap-northeast-2" }
  }

  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }

  mock_data "aws_vpc" {
    defaults = { cidr_block = "10.0.0.0/16" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
}

variables {
  name        = "titanium"
  vpc_id      = "vpc-0123456789abcdef0"
  subnet_ids  = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  kms_key_arn = "arn:aws:kms:ap-northeast-2:123456789012:key/00000000-0000-0000-0000-000000000000"
  node_groups = { application = { instance_types = ["t4g.large"], min = 0, max = 4, desired = 3 } }
}

run "the_api_server_is_private_and_nodes_take_only_imdsv2_and_encrypted_disks" {
  command = plan

  assert {
    condition     = aws_eks_cluster.this[0].vpc_config[0].endpoint_private_access && !aws_eks_cluster.this[0].vpc_config[0].endpoint_public_access
    error_message = "private endpoint alone"
  }

  assert {
    condition     = aws_launch_template.node["application"].metadata_options[0].http_tokens == "required"
    error_message = "IMDSv2"
  }

  assert {
    condition     = aws_launch_template.node["application"].block_device_mappings[0].ebs[0].encrypted == "true"
    error_message = "encrypted disk"
  }
}

run "kubeadm_makes_three_instances_and_no_eks" {
  command = plan

  variables {
    mode = "kubeadm"
  }

  assert {
    condition     = length(aws_instance.control_plane) == 3 && length(aws_eks_cluster.this) == 0 && length(aws_autoscaling_group.worker) == 1
    error_message = "three instances, one group of workers"
  }
}

run "mistakes_with_kubeadm_and_intel_types_in_an_arm_group_are_refused" {
  command = plan

  variables {
    mode                = "kubeadm"
    control_plane_count = 2      # even
    kubernetes_version  = "1.36" # not with Debian's containerd
    node_groups         = { application = { instance_types = ["m5.large"], arch = "arm64", min = 1, max = 3, desired = 2 } }
  }

  expect_failures = [var.control_plane_count, var.kubernetes_version, var.node_groups]
}

run "mistakes_with_eks_and_graviton_types_in_an_intel_group_are_refused" {
  command = plan

  variables {
    endpoint_public_cidrs = ["0.0.0.0/0"]
    kubernetes_version    = "1.29" # the mesh does not support it
    node_groups           = { application = { instance_types = ["m7g.large"], arch = "x86_64", min = 1, max = 3, desired = 2 } }
  }

  expect_failures = [var.endpoint_public_cidrs, var.kubernetes_version, var.node_groups]
}

run "fewer_desired_than_min_is_refused" {
  command = plan

  variables {
    node_groups = { application = { instance_types = ["t4g.large"], min = 3, max = 4, desired = 1 } }
  }

  expect_failures = [var.node_groups]
}

run "an_unknown_processor_is_refused" {
  command = plan

  variables {
    node_groups = { application = { instance_types = ["m5.large"], arch = "riscv", min = 1, max = 3, desired = 2 } }
  }

  expect_failures = [var.node_groups]
}

run "a_disk_too_small_for_the_images_is_refused" {
  command = plan

  variables {
    node_groups = { application = { instance_types = ["t4g.large"], min = 1, max = 3, desired = 2, disk_gib = 8 } }
  }

  expect_failures = [var.node_groups]
}

# All at once: each is named, not the first alone.
run "every_other_mistake_is_refused" {
  command = plan

  variables {
    name                   = "titanium-in-production-at-night"
    mode                   = "k3s"
    subnet_ids             = ["subnet-0123456789abcdef0"]
    node_groups            = {}
    endpoint_private_cidrs = ["0.0.0.0/0"]
    administrator_arns     = ["alice"]
    pod_cidr               = "10.244.0.0"
    service_cidr           = "10.96.0.0"
  }

  expect_failures = [var.name, var.mode, var.subnet_ids, var.node_groups, var.endpoint_private_cidrs, var.administrator_arns, var.pod_cidr, var.service_cidr]
}
