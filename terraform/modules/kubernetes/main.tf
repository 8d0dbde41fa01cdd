# One module, two ways to a cluster: EKS (eks*.tf) or kubeadm on EC2 (kubeadm*.tf). Network and the
# nodes' role are common.

data "aws_partition" "current" {}

data "aws_region" "current" {}

data "aws_default_tags" "current" {}

locals {
  eks     = var.mode == "eks"
  kubeadm = var.mode == "kubeadm"

  # Launch templates hand their tags to what they launch, but the provider's default tags stop at the
  # template itself.
  node_tags = merge(data.aws_default_tags.current.tags, var.tags)

  node_security_group_id = module.security_group.ids["nodes"]

  # EKS calls webhooks, kubelets and aggregated APIs on the nodes; all of them are above 1024.
  common_rules = {
    nodes_among_themselves = {
      of          = "nodes"
      description = "Pods and kubelets among themselves; network policies narrow it"
      type        = "ingress"
      protocol    = "-1"
      self        = true
    }
    nodes_out = {
      of          = "nodes"
      description = "Out: images, AWS APIs, databases; network policies narrow it"
      type        = "egress"
      protocol    = "-1"
      cidrs       = ["0.0.0.0/0"]
    }
    nodes_from_control_plane = {
      of          = "nodes"
      description = "Kubelets, webhooks and aggregated APIs, called by the control plane"
      type        = "ingress"
      from_port   = 1025
      to_port     = 65535
      group       = "control_plane"
    }
    control_plane_to_nodes = {
      of          = "control_plane"
      description = "Kubelets, webhooks and aggregated APIs on the nodes"
      type        = "egress"
      from_port   = 1025
      to_port     = 65535
      group       = "nodes"
    }
    control_plane_from_nodes = {
      of          = "control_plane"
      description = "API server, called by kubelets and pods"
      type        = "ingress"
      from_port   = local.api_port
      to_port     = local.api_port
      group       = "nodes"
    }
  }
  private_rules = {
    control_plane_from_people = {
      of          = "control_plane"
      description = "API server, called by people over the tunnels"
      type        = "ingress"
      from_port   = local.api_port
      to_port     = local.api_port
      cidrs       = var.endpoint_private_cidrs
    }
  }
  api_port = local.eks ? 443 : 6443
}

module "security_group" {
  source = "../security_group"

  name   = "${var.name}-k8s"
  vpc_id = var.vpc_id
  groups = {
    control_plane = "Kubernetes control plane"
    nodes         = "Kubernetes nodes and their pods"
  }
  rules = merge(local.common_rules, { for name, rule in local.private_rules : name => rule if length(var.endpoint_private_cidrs) > 0 }, { for name, rule in local.kubeadm_rules : name => rule if local.kubeadm })
  tags  = var.tags
}

# Nodes: no SSH anywhere; Session Manager is the way onto one (of EKS: Debian's image has no agent for it).
data "aws_iam_policy_document" "ec2_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "node" {
  name               = "${var.name}-node"
  description        = "Kubernetes nodes of ${var.name}"
  assume_role_policy = data.aws_iam_policy_document.ec2_trust.json
  tags               = var.tags
}

resource "aws_iam_role_policy_attachment" "node" {
  for_each = toset(concat(
    ["AmazonSSMManagedInstanceCore"],
    local.eks ? ["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"] : ["AmazonEC2ContainerRegistryPullOnly"],
  ))

  role       = aws_iam_role.node.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/${each.key}"
}
