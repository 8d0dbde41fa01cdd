locals {
  worker_groups = local.kubeadm ? var.node_groups : {}

  common = {
    region      = data.aws_region.current.name
    version     = var.kubernetes_version
    join_secret = one(aws_secretsmanager_secret.join[*].arn)
  }
}

resource "aws_launch_template" "worker" {
  for_each = local.worker_groups

  name                   = "${var.name}-${each.key}"
  description            = "Workers ${each.key} of ${var.name}"
  image_id               = data.aws_ami.debian[each.value.arch].id
  instance_type          = each.value.instance_types[0]
  vpc_security_group_ids = [local.node_security_group_id]
  ebs_optimized          = true
  update_default_version = true
  user_data = base64gzip(templatefile("${path.module}/templates/worker.sh.tftpl", {
    common = templatefile("${path.module}/templates/common.sh.tftpl", merge(local.common, {
      labels = join(",", [for key, value in each.value.labels : "${key}=${value}"])
    }))
  }))

  iam_instance_profile {
    arn = aws_iam_instance_profile.worker[0].arn
  }

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

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  dynamic "tag_specifications" {
    for_each = ["instance", "volume"]
    content {
      resource_type = tag_specifications.value
      tags          = merge(local.node_tags, { Name = "${var.name}-${each.key}" })
    }
  }

  tags = var.tags
}

resource "aws_autoscaling_group" "worker" {
  for_each = local.worker_groups

  name                = "${var.name}-${each.key}"
  min_size            = each.value.min
  max_size            = each.value.max
  desired_capacity    = each.value.desired
  vpc_zone_identifier = var.subnet_ids
  health_check_type   = "EC2"
  # Terraform waits for instances, not for Kubernetes: kubectl get nodes says when they have joined.
  wait_for_capacity_timeout = "10m"

  launch_template {
    id      = aws_launch_template.worker[each.key].id
    version = aws_launch_template.worker[each.key].latest_version
  }

  dynamic "tag" {
    for_each = merge(local.node_tags, {
      "k8s.io/cluster-autoscaler/enabled"     = "true"
      "k8s.io/cluster-autoscaler/${var.name}" = "owned"
    })
    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = true
    }
  }

  lifecycle {
    ignore_changes = [desired_capacity]
  }
}
