# IRSA: a role for a service account, by the cluster's own tokens; no key anywhere.
resource "aws_iam_openid_connect_provider" "this" {
  count = local.eks ? 1 : 0

  # AWS knows the authority of its own issuers: no thumbprint to keep up to date.
  url            = aws_eks_cluster.this[0].identity[0].oidc[0].issuer
  client_id_list = ["sts.amazonaws.com"]
  tags           = var.tags
}

locals {
  issuer = local.eks ? replace(aws_eks_cluster.this[0].identity[0].oidc[0].issuer, "https://", "") : ""

  # The add-ons' own; AWS keeps their policies.
  addon_accounts = {
    vpc-cni = { namespace = "kube-system", service_account = "aws-node", managed = "AmazonEKS_CNI_Policy" }
    ebs-csi = { namespace = "kube-system", service_account = "ebs-csi-controller-sa", managed = "service-role/AmazonEBSCSIDriverPolicy" }
  }
  accounts = local.eks ? merge(
    { for key, account in local.addon_accounts : key => merge(account, { policy = null }) },
    { for key, account in var.service_accounts : key => merge(account, { managed = null }) },
  ) : {}
}

data "aws_iam_policy_document" "service_account_trust" {
  for_each = local.accounts

  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [aws_iam_openid_connect_provider.this[0].arn]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:aud"
      values   = ["sts.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:sub"
      values   = ["system:serviceaccount:${each.value.namespace}:${each.value.service_account}"]
    }
  }
}

resource "aws_iam_role" "service_account" {
  for_each = local.accounts

  name               = "${var.name}-${each.key}"
  description        = "Service account ${each.value.namespace}/${each.value.service_account}"
  assume_role_policy = data.aws_iam_policy_document.service_account_trust[each.key].json
  tags               = var.tags
}

resource "aws_iam_role_policy_attachment" "service_account" {
  for_each = { for key, account in local.accounts : key => account.managed if account.managed != null }

  role       = aws_iam_role.service_account[each.key].name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/${each.value}"
}

# for_each over the variable: whether there is a policy is known before its text is.
resource "aws_iam_role_policy" "service_account" {
  for_each = local.eks ? var.service_accounts : {}

  name   = "own"
  role   = aws_iam_role.service_account[each.key].id
  policy = each.value.policy
}

# For StorageClasses that name our key (parameter kmsKeyId); without one EBS takes AWS's own.
data "aws_iam_policy_document" "volumes" {
  statement {
    actions   = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncrypt*"]
    resources = [var.kms_key_arn]
  }

  statement {
    actions   = ["kms:CreateGrant"]
    resources = [var.kms_key_arn]

    condition {
      test     = "Bool"
      variable = "kms:GrantIsForAWSResource"
      values   = ["true"]
    }
  }
}

resource "aws_iam_role_policy" "volumes" {
  count = local.eks ? 1 : 0

  name   = "volumes"
  role   = aws_iam_role.service_account["ebs-csi"].id
  policy = data.aws_iam_policy_document.volumes.json
}
