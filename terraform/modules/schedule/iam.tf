data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["scheduler.amazonaws.com"]
    }

    # Only this group's schedules, of this account.
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [aws_scheduler_schedule_group.this.arn]
    }
  }
}

locals {
  arn = "arn:${data.aws_partition.current.partition}"
  own = "${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}"
}

# The named resources and nothing else.
data "aws_iam_policy_document" "this" {
  dynamic "statement" {
    for_each = length(var.instance_ids) > 0 ? [1] : []
    content {
      sid       = "Instances"
      actions   = ["ec2:StartInstances", "ec2:StopInstances"]
      resources = [for id in values(var.instance_ids) : "${local.arn}:ec2:${local.own}:instance/${id}"]
    }
  }

  # Starting an instance whose disk has a customer key needs a grant on the key for EC2.
  dynamic "statement" {
    for_each = var.use_kms_key && length(var.instance_ids) > 0 ? [1] : []
    content {
      sid       = "DisksOfInstances"
      actions   = ["kms:CreateGrant"]
      resources = [var.kms_key_arn]

      condition {
        test     = "Bool"
        variable = "kms:GrantIsForAWSResource"
        values   = ["true"]
      }
    }
  }

  dynamic "statement" {
    for_each = var.use_kms_key ? [1] : []
    content {
      sid       = "ScheduleAndQueue"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [var.kms_key_arn]
    }
  }

  dynamic "statement" {
    for_each = length(var.rds_instance_ids) > 0 ? [1] : []
    content {
      sid       = "Databases"
      actions   = ["rds:StartDBInstance", "rds:StopDBInstance"]
      resources = [for id in values(var.rds_instance_ids) : "${local.arn}:rds:${local.own}:db:${id}"]
    }
  }

  dynamic "statement" {
    for_each = length(local.groups) > 0 ? [1] : []
    content {
      sid       = "NodeGroups"
      actions   = ["eks:UpdateNodegroupConfig"]
      resources = [for group in values(local.groups) : "${local.arn}:eks:${local.own}:nodegroup/${group.cluster}/${group.group}/*"]
    }
  }

  statement {
    sid       = "FailedCalls"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.failed.arn]
  }
}

resource "aws_iam_role" "this" {
  name               = "${var.name}-schedule"
  description        = "Lets EventBridge Scheduler start and stop ${var.name}"
  assume_role_policy = data.aws_iam_policy_document.trust.json
  tags               = var.tags
}

resource "aws_iam_role_policy" "this" {
  name   = "start-and-stop"
  role   = aws_iam_role.this.id
  policy = data.aws_iam_policy_document.this.json
}
