# What the server may do: its own key, its own two parameters. Nothing else.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "wireguard" {
  statement {
    sid       = "OwnKey"
    actions   = ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"]
    resources = [aws_secretsmanager_secret.private_key.arn]
  }

  statement {
    sid       = "SayPublicKey"
    actions   = ["ssm:PutParameter"]
    resources = [aws_ssm_parameter.public_key.arn]
  }

  statement {
    sid     = "ReadPeers"
    actions = ["ssm:GetParametersByPath"]
    resources = [join(":", [
      "arn", data.aws_partition.current.partition, "ssm", data.aws_region.current.name,
      data.aws_caller_identity.current.account_id, "parameter/${var.name}/wireguard/peers"
    ])]
  }
}

resource "aws_iam_role" "wireguard" {
  name_prefix        = "${var.name}-wireguard-"
  assume_role_policy = data.aws_iam_policy_document.assume.json
  tags               = var.tags
}

resource "aws_iam_role_policy" "wireguard" {
  name   = "wireguard"
  role   = aws_iam_role.wireguard.id
  policy = data.aws_iam_policy_document.wireguard.json
}

resource "aws_iam_instance_profile" "wireguard" {
  name_prefix = "${var.name}-wireguard-"
  role        = aws_iam_role.wireguard.name
  tags        = var.tags
}
