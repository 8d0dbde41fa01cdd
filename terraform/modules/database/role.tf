# What a node may do in the account: read and fill its two secrets, read the services' passwords, and read and
# write its backups.

data "aws_iam_policy_document" "assume" {
  count = local.patroni ? 1 : 0

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "node" {
  count = local.patroni ? 1 : 0

  statement {
    sid       = "OwnSecrets"
    actions   = ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"]
    resources = [aws_secretsmanager_secret.nodes[0].arn, aws_secretsmanager_secret.client.arn]
  }

  # What the leader makes the services' roles with.
  dynamic "statement" {
    for_each = length(var.services) == 0 ? [] : [values(var.services)]

    content {
      sid       = "ServicesSecrets"
      actions   = ["secretsmanager:GetSecretValue"]
      resources = statement.value
    }
  }

  statement {
    sid       = "ListBackups"
    actions   = ["s3:ListBucket"]
    resources = concat([aws_s3_bucket.backup[0].arn], local.restore_bucket_arn)
  }

  statement {
    sid       = "Backups"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    resources = ["${aws_s3_bucket.backup[0].arn}/${var.name}/*"]
  }

  # A cluster that begins as a copy reads the other's backups and cannot change them.
  dynamic "statement" {
    for_each = local.restore_bucket_arn

    content {
      sid       = "RestoreFrom"
      actions   = ["s3:GetObject"]
      resources = ["${statement.value}/${var.restore.cluster}/*"]
    }
  }

  dynamic "statement" {
    for_each = var.kms_key_arn == null ? [] : [var.kms_key_arn]

    content {
      sid       = "OwnKey"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [statement.value]
    }
  }
}

locals {
  restore_bucket_arn = var.restore == null ? [] : ["arn:${data.aws_partition.current.partition}:s3:::${var.restore.bucket}"]
}

resource "aws_iam_role" "node" {
  count = local.patroni ? 1 : 0

  name_prefix        = "${var.name}-database-"
  description        = "Database nodes of ${var.name}"
  assume_role_policy = data.aws_iam_policy_document.assume[0].json
}

resource "aws_iam_role_policy" "node" {
  count = local.patroni ? 1 : 0

  name_prefix = "database-"
  role        = aws_iam_role.node[0].id
  policy      = data.aws_iam_policy_document.node[0].json
}

resource "aws_iam_instance_profile" "node" {
  count = local.patroni ? 1 : 0

  name_prefix = "${var.name}-database-"
  role        = aws_iam_role.node[0].name
}
