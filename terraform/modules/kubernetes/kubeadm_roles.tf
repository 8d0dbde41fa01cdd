resource "aws_iam_role" "control_plane_instance" {
  count = local.kubeadm ? 1 : 0

  name               = "${var.name}-control-plane"
  description        = "Control plane instances of ${var.name}"
  assume_role_policy = data.aws_iam_policy_document.ec2_trust.json
  tags               = var.tags
}

data "aws_iam_policy_document" "control_plane_instance" {
  count = local.kubeadm ? 1 : 0

  # Each writes all of them and reads how to join.
  statement {
    actions = ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"]
    resources = [
      aws_secretsmanager_secret.join[0].arn,
      aws_secretsmanager_secret.certificates[0].arn,
      aws_secretsmanager_secret.kubeconfig[0].arn,
    ]
  }

  statement {
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [var.kms_key_arn]
  }
}

resource "aws_iam_role_policy" "control_plane_instance" {
  count = local.kubeadm ? 1 : 0

  name   = "join"
  role   = aws_iam_role.control_plane_instance[0].id
  policy = data.aws_iam_policy_document.control_plane_instance[0].json
}

resource "aws_iam_role_policy_attachment" "control_plane_instance" {
  count = local.kubeadm ? 1 : 0

  role       = aws_iam_role.control_plane_instance[0].name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

resource "aws_iam_instance_profile" "control_plane" {
  count = local.kubeadm ? 1 : 0

  name = "${var.name}-control-plane"
  role = aws_iam_role.control_plane_instance[0].name
  tags = var.tags
}

data "aws_iam_policy_document" "worker" {
  count = local.kubeadm ? 1 : 0

  statement {
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [aws_secretsmanager_secret.join[0].arn]
  }

  statement {
    actions   = ["kms:Decrypt"]
    resources = [var.kms_key_arn]
  }
}

resource "aws_iam_role_policy" "worker" {
  count = local.kubeadm ? 1 : 0

  name   = "join"
  role   = aws_iam_role.node.id
  policy = data.aws_iam_policy_document.worker[0].json
}

resource "aws_iam_instance_profile" "worker" {
  count = local.kubeadm ? 1 : 0

  name = "${var.name}-node"
  role = aws_iam_role.node.name
  tags = var.tags
}
