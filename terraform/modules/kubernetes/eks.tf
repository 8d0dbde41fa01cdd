resource "aws_cloudwatch_log_group" "control_plane" {
  #checkov:skip=CKV_AWS_338:log_days says how long; a year by default.
  count = local.eks ? 1 : 0

  # EKS makes it by itself otherwise, without a key and for ever.
  name              = "/aws/eks/${var.name}/cluster"
  retention_in_days = var.log_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

data "aws_iam_policy_document" "eks_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["eks.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "control_plane" {
  count = local.eks ? 1 : 0

  name               = "${var.name}-control-plane"
  description        = "EKS control plane of ${var.name}"
  assume_role_policy = data.aws_iam_policy_document.eks_trust.json
  tags               = var.tags
}

resource "aws_iam_role_policy_attachment" "control_plane" {
  count = local.eks ? 1 : 0

  role       = aws_iam_role.control_plane[0].name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/AmazonEKSClusterPolicy"
}

resource "aws_eks_cluster" "this" {
  #checkov:skip=CKV_AWS_37:log_types has every type by default; fewer is a matter of what an environment pays for.
  #checkov:skip=CKV_AWS_39:Public access is on only with endpoint_public_cidrs, which refuses /0.
  count = local.eks ? 1 : 0

  name     = var.name
  version  = var.kubernetes_version
  role_arn = aws_iam_role.control_plane[0].arn

  enabled_cluster_log_types = var.log_types
  # The add-ons below are EKS's managed ones: updated with the version, not installed by hand.
  bootstrap_self_managed_addons = false

  access_config {
    # Access is by access entries alone; the ConfigMap aws-auth is not read.
    authentication_mode                         = "API"
    bootstrap_cluster_creator_admin_permissions = false
  }

  encryption_config {
    resources = ["secrets"]

    provider {
      key_arn = var.kms_key_arn
    }
  }

  kubernetes_network_config {
    ip_family         = "ipv4"
    service_ipv4_cidr = var.service_cidr
  }

  # EXTENDED, the default, silently goes on at six times the price.
  upgrade_policy {
    support_type = "STANDARD"
  }

  vpc_config {
    subnet_ids              = var.subnet_ids
    security_group_ids      = [module.security_group.ids["control_plane"]]
    endpoint_private_access = true
    endpoint_public_access  = length(var.endpoint_public_cidrs) > 0
    public_access_cidrs     = length(var.endpoint_public_cidrs) > 0 ? var.endpoint_public_cidrs : null
  }

  tags = var.tags

  # Without the policy EKS can neither make nor remove its network interfaces.
  depends_on = [
    aws_cloudwatch_log_group.control_plane,
    aws_iam_role_policy_attachment.control_plane,
  ]
}

resource "aws_eks_access_entry" "administrator" {
  for_each = local.eks ? toset(var.administrator_arns) : []

  cluster_name  = aws_eks_cluster.this[0].name
  principal_arn = each.key
  tags          = var.tags
}

resource "aws_eks_access_policy_association" "administrator" {
  for_each = local.eks ? toset(var.administrator_arns) : []

  cluster_name  = aws_eks_cluster.this[0].name
  principal_arn = aws_eks_access_entry.administrator[each.key].principal_arn
  policy_arn    = "arn:${data.aws_partition.current.partition}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"

  access_scope {
    type = "cluster"
  }
}

locals {
  # The VPC's CNI before the nodes, which are not ready without it; the others need nodes to run on.
  addons_before_nodes = {
    vpc-cni = {
      role          = "vpc-cni"
      configuration = jsonencode({ enableNetworkPolicy = "true" })
    }
    kube-proxy = { role = null, configuration = null }
  }
  addons_after_nodes = {
    coredns            = { role = null, configuration = null }
    metrics-server     = { role = null, configuration = null } # the autoscaler's figures
    aws-ebs-csi-driver = { role = "ebs-csi", configuration = null }
  }
}

resource "aws_eks_addon" "before_nodes" {
  for_each = local.eks ? local.addons_before_nodes : {}

  cluster_name                = aws_eks_cluster.this[0].name
  addon_name                  = each.key
  configuration_values        = each.value.configuration
  service_account_role_arn    = each.value.role == null ? null : aws_iam_role.service_account[each.value.role].arn
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "PRESERVE"
  tags                        = var.tags
}

resource "aws_eks_addon" "after_nodes" {
  for_each = local.eks ? local.addons_after_nodes : {}

  cluster_name                = aws_eks_cluster.this[0].name
  addon_name                  = each.key
  configuration_values        = each.value.configuration
  service_account_role_arn    = each.value.role == null ? null : aws_iam_role.service_account[each.value.role].arn
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "PRESERVE"
  tags                        = var.tags

  depends_on = [aws_eks_node_group.this]
}
