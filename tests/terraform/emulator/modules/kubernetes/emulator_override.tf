# moto 5.2 knows clusters and node groups of EKS, neither add-ons nor access entries.
resource "aws_eks_addon" "before_nodes" {
  for_each = {}
}

resource "aws_eks_addon" "after_nodes" {
  for_each = {}
}

resource "aws_eks_access_entry" "administrator" {
  for_each = {}
}

resource "aws_eks_access_policy_association" "administrator" {
  for_each = {}
}

# Its node groups have Auto Scaling groups by name alone.
resource "aws_autoscaling_group_tag" "autoscaler" {
  for_each = {}
}

# What it forgets of what it was told.
resource "aws_eks_cluster" "this" {
  lifecycle {
    ignore_changes = [access_config, upgrade_policy, vpc_config]
  }
}

resource "aws_eks_node_group" "this" {
  lifecycle {
    ignore_changes = [remote_access, update_config, node_repair_config]
  }
}

resource "aws_launch_template" "node" {
  lifecycle {
    ignore_changes = [tag_specifications]
  }
}

resource "aws_launch_template" "worker" {
  lifecycle {
    ignore_changes = [tag_specifications]
  }
}
