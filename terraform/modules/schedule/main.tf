# Everything is stopped at night and started in the morning, by calls that EventBridge makes itself:
# no function to maintain. Order: the database starts before the application and stops after it.
#   start                  database
#   start + stagger        node groups to their sizes
#   stop                   node groups to zero
#   stop + stagger         database
#   stop + 2 x stagger     node groups to zero once more: while nodes drain, the cluster autoscaler
#                          may have moved to the last of them and asked for another
locals {
  parts = { for key, text in { start = var.start, stop = var.stop } : key => regex("^cron\\(([0-9]+) (.*)\\)$", text) }
  at = {
    for pair in setproduct(["start", "stop"], [0, 1, 2]) : "${pair[0]} ${pair[1]}" =>
    "cron(${tonumber(local.parts[pair[0]][0]) + pair[1] * var.stagger_minutes} ${local.parts[pair[0]][1]})"
  }

  groups = merge([
    for cluster, groups in var.node_groups : {
      for group, size in groups : "${cluster}-${group}" => merge(size, { cluster = cluster, group = group })
    }
  ]...)

  # The arguments of AWS's API, with a capital first letter as EventBridge wants them.
  database = {
    start-database = {
      at    = local.at["start 0"]
      call  = "ec2:startInstances"
      input = { InstanceIds = values(var.instance_ids) }
    }
    stop-database = {
      at    = local.at["stop 1"]
      call  = "ec2:stopInstances"
      input = { InstanceIds = values(var.instance_ids) }
    }
  }
  rds = merge([
    for name, id in var.rds_instance_ids : {
      "start-rds-${name}" = {
        at    = local.at["start 0"]
        call  = "rds:startDBInstance"
        input = { DbInstanceIdentifier = id }
      }
      "stop-rds-${name}" = {
        at    = local.at["stop 1"]
        call  = "rds:stopDBInstance"
        input = { DbInstanceIdentifier = id }
      }
    }
  ]...)
  nodes = merge([
    for name, group in local.groups : {
      "start-nodes-${name}" = {
        at   = local.at["start 1"]
        call = "eks:updateNodegroupConfig"
        input = {
          ClusterName   = group.cluster
          NodegroupName = group.group
          ScalingConfig = { MinSize = group.min, MaxSize = group.max, DesiredSize = group.desired }
        }
      }
      "stop-nodes-${name}" = {
        at   = local.at["stop 0"]
        call = "eks:updateNodegroupConfig"
        input = {
          ClusterName   = group.cluster
          NodegroupName = group.group
          ScalingConfig = { MinSize = 0, MaxSize = group.max, DesiredSize = 0 }
        }
      }
      "stop-nodes-again-${name}" = {
        at   = local.at["stop 2"]
        call = "eks:updateNodegroupConfig"
        input = {
          ClusterName   = group.cluster
          NodegroupName = group.group
          ScalingConfig = { MinSize = 0, MaxSize = group.max, DesiredSize = 0 }
        }
      }
    }
  ]...)
  schedules = merge({ for name, schedule in local.database : name => schedule if length(var.instance_ids) > 0 }, local.rds, local.nodes)
}

resource "aws_scheduler_schedule_group" "this" {
  name = var.name
  tags = var.tags
}

resource "aws_scheduler_schedule" "this" {
  #checkov:skip=CKV_AWS_297:kms_key_arn is the environment's customer key; null, AWS's own, is for trying the module alone.
  for_each = local.schedules

  name                         = each.key
  group_name                   = aws_scheduler_schedule_group.this.name
  description                  = "${each.value.call} (${var.timezone})"
  state                        = var.enabled ? "ENABLED" : "DISABLED"
  schedule_expression          = each.value.at
  schedule_expression_timezone = var.timezone
  kms_key_arn                  = var.kms_key_arn

  # At the minute: the order of the tiers hangs on it.
  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = "arn:${data.aws_partition.current.partition}:scheduler:::aws-sdk:${each.value.call}"
    role_arn = aws_iam_role.this.arn
    input    = jsonencode(each.value.input)

    # A stop that comes hours late would stop the working day.
    retry_policy {
      maximum_event_age_in_seconds = 1800
      maximum_retry_attempts       = 10
    }

    dead_letter_config {
      arn = aws_sqs_queue.failed.arn
    }
  }
}

# Calls that failed for good: who reads it sees why the platform did not start.
resource "aws_sqs_queue" "failed" {
  name                      = "${var.name}-schedule-failed"
  message_retention_seconds = 1209600 # 14 days, the longest
  kms_master_key_id         = var.kms_key_arn
  sqs_managed_sse_enabled   = var.kms_key_arn == null ? true : null
  tags                      = var.tags
}
