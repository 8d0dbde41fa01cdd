locals {
  eks_node_groups = local.eks ? var.node_groups : {}
}

# What EKS's own template leaves open: encryption with our key, IMDSv2 alone, tags on what is launched.
resource "aws_launch_template" "node" {
  for_each = local.eks_node_groups

  name        = "${var.name}-${each.key}"
  description = "Nodes ${each.key} of ${var.name}"

  vpc_security_group_ids = [local.node_security_group_id]
  update_default_version = true

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_type           = "gp3"
      volume_size           = each.value.disk_gib
      encrypted             = true
      kms_key_id            = var.kms_key_arn
      delete_on_termination = true
    }
  }

  # Hop limit 1: a pod cannot take the node's role, it has one of its own (IRSA) or none.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  # Basic monitoring: Prometheus has finer figures.
  monitoring {
    enabled = false
  }

  dynamic "tag_specifications" {
    for_each = ["instance", "volume", "network-interface"]
    content {
      resource_type = tag_specifications.value
      tags          = merge(local.node_tags, { Name = "${var.name}-${each.key}" })
    }
  }

  tags = var.tags
}

resource "aws_eks_node_group" "this" {
  for_each = local.eks_node_groups

  cluster_name    = aws_eks_cluster.this[0].name
  node_group_name = each.key
  node_role_arn   = aws_iam_role.node.arn
  subnet_ids      = var.subnet_ids
  capacity_type   = each.value.capacity
  instance_types  = each.value.instance_types
  ami_type        = each.value.arch == "arm64" ? "AL2023_ARM_64_STANDARD" : "AL2023_x86_64_STANDARD"
  labels          = each.value.labels
  version         = var.kubernetes_version

  launch_template {
    id      = aws_launch_template.node[each.key].id
    version = aws_launch_template.node[each.key].latest_version
  }

  scaling_config {
    min_size     = each.value.min
    max_size     = each.value.max
    desired_size = each.value.desired
  }

  update_config {
    max_unavailable = 1
  }

  # Nodes whose kubelet or network stays broken are replaced.
  node_repair_config {
    enabled = true
  }

  # How the cluster autoscaler finds the groups that it may resize.
  tags = merge(var.tags, var.node_group_tags, {
    "k8s.io/cluster-autoscaler/enabled"     = "true"
    "k8s.io/cluster-autoscaler/${var.name}" = "owned"
  })

  # The autoscaler's and the schedule's business once the group is there.
  lifecycle {
    ignore_changes = [scaling_config[0].desired_size]
  }

  # Without them a node neither joins nor leaves.
  depends_on = [
    aws_iam_role_policy_attachment.node,
    aws_eks_addon.before_nodes,
  ]
}

# EKS hands a group's tags to nothing that it makes (but tags the Auto Scaling group so that the autoscaler finds
# it). What a node of an empty group would be, the autoscaler reads from the Auto Scaling group's own tags.
resource "aws_autoscaling_group_tag" "autoscaler" {
  for_each = local.eks_node_groups

  autoscaling_group_name = aws_eks_node_group.this[each.key].resources[0].autoscaling_groups[0].name

  tag {
    key                 = "k8s.io/cluster-autoscaler/node-template/label/kubernetes.io/arch"
    value               = each.value.arch == "arm64" ? "arm64" : "amd64"
    propagate_at_launch = false
  }
}
