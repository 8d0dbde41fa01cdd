# Kubernetes by kubeadm on plain EC2: three instances behind a load balancer, for who wants neither
# EKS's price nor its limits. The first initializes, the others join by what is put into Secrets Manager.
locals {
  control_planes = local.kubeadm ? var.control_plane_count : 0
  arm            = can(regex("^[a-z]+[0-9]+g[a-z]*\\.", var.control_plane_instance_type))

  kubeadm_rules = {
    control_plane_from_vpc = {
      of          = "control_plane"
      description = "API server, called through the load balancer, which passes addresses of the VPC on"
      type        = "ingress"
      from_port   = 6443
      to_port     = 6443
      cidrs       = data.aws_vpc.this[*].cidr_block
    }
    control_plane_among_themselves = {
      of          = "control_plane"
      description = "etcd, kubelets and the pod network among the control plane"
      type        = "ingress"
      protocol    = "-1"
      self        = true
    }
    control_plane_pods_from_nodes = {
      of          = "control_plane"
      description = "Pod network (VXLAN) from the nodes"
      type        = "ingress"
      protocol    = "udp"
      from_port   = 4789
      to_port     = 4789
      group       = "nodes"
    }
    control_plane_kubelets_from_nodes = {
      of          = "control_plane"
      description = "Kubelets, asked for figures by metrics-server and Prometheus"
      type        = "ingress"
      from_port   = 10250
      to_port     = 10250
      group       = "nodes"
    }
    nodes_pods_from_control_plane = {
      of          = "nodes"
      description = "Pod network (VXLAN) from the control plane"
      type        = "ingress"
      protocol    = "udp"
      from_port   = 4789
      to_port     = 4789
      group       = "control_plane"
    }
    control_plane_out = {
      of          = "control_plane"
      description = "Out: packages, images, AWS APIs"
      type        = "egress"
      protocol    = "-1"
      cidrs       = ["0.0.0.0/0"]
    }
  }
}

data "aws_vpc" "this" {
  count = local.kubeadm ? 1 : 0
  id    = var.vpc_id
}

# Debian's own images, by the account that publishes them.
data "aws_ami" "debian" {
  for_each = local.kubeadm ? toset(["arm64", "x86_64"]) : []

  owners      = ["136693071363"]
  most_recent = true

  filter {
    name   = "name"
    values = ["debian-12-${each.key == "arm64" ? "arm64" : "amd64"}-*"]
  }

  filter {
    name   = "architecture"
    values = [each.key]
  }
}

resource "aws_lb" "api" {
  #checkov:skip=CKV_AWS_91:A network load balancer logs TLS listeners alone; this one passes TCP, and flow logs have the connections.
  #checkov:skip=CKV_AWS_150:It holds no data; the cluster is lost with its instances, not with this.
  #checkov:skip=CKV2_AWS_28:A firewall is for HTTP; this is the API server's TLS, inside the VPC.
  count = local.kubeadm ? 1 : 0

  name                             = "${var.name}-api"
  internal                         = true
  load_balancer_type               = "network"
  subnets                          = var.subnet_ids
  enable_cross_zone_load_balancing = true
  tags                             = var.tags
}

resource "aws_lb_target_group" "api" {
  count = local.kubeadm ? 1 : 0

  name        = "${var.name}-api"
  vpc_id      = var.vpc_id
  port        = 6443
  protocol    = "TCP"
  target_type = "instance"
  # A control plane's own kubelet calls the balancer and may be sent back to itself, which does not
  # work while its address is kept.
  preserve_client_ip = false
  tags               = var.tags

  health_check {
    protocol            = "HTTPS"
    port                = "6443"
    path                = "/readyz"
    interval            = 10
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }
}

resource "aws_lb_listener" "api" {
  count = local.kubeadm ? 1 : 0

  load_balancer_arn = aws_lb.api[0].arn
  port              = 6443
  protocol          = "TCP"
  tags              = var.tags

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.api[0].arn
  }
}

resource "aws_lb_target_group_attachment" "api" {
  count = local.control_planes

  target_group_arn = aws_lb_target_group.api[0].arn
  target_id        = aws_instance.control_plane[count.index].id
}

resource "aws_instance" "control_plane" {
  #checkov:skip=CKV_AWS_126:Prometheus has finer figures than detailed monitoring.
  count = local.control_planes

  ami                    = data.aws_ami.debian[local.arm ? "arm64" : "x86_64"].id
  instance_type          = var.control_plane_instance_type
  subnet_id              = var.subnet_ids[count.index % length(var.subnet_ids)]
  vpc_security_group_ids = [module.security_group.ids["control_plane"]]
  iam_instance_profile   = aws_iam_instance_profile.control_plane[0].name
  ebs_optimized          = true
  user_data_base64 = base64gzip(templatefile("${path.module}/templates/control-plane.sh.tftpl", {
    common              = templatefile("${path.module}/templates/common.sh.tftpl", merge(local.common, { labels = "" }))
    index               = count.index
    endpoint            = "${aws_lb.api[0].dns_name}:6443"
    name                = var.name
    region              = data.aws_region.current.name
    version             = var.kubernetes_version
    pod_cidr            = var.pod_cidr
    service_cidr        = var.service_cidr
    join_secret         = aws_secretsmanager_secret.join[0].arn
    certificates_secret = aws_secretsmanager_secret.certificates[0].arn
    config_secret       = aws_secretsmanager_secret.kubeconfig[0].arn
    cilium_version      = "1.19.8"
  }))
  tags        = merge(var.tags, { Name = "${var.name}-control-plane-${count.index + 1}" })
  volume_tags = local.node_tags

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  root_block_device {
    volume_type = "gp3"
    volume_size = 20
    encrypted   = true
    kms_key_id  = var.kms_key_arn
  }

  # A newer image would replace the whole control plane, and etcd with it: that is done one by one.
  lifecycle {
    ignore_changes = [ami, user_data_base64]
  }

  # What it asks for at its first start.
  depends_on = [aws_iam_role_policy.control_plane_instance]
}

# What joins a node is made by the control plane and lives here, never in the state. The key of the
# certificates apart: with it and a token, whoever has both is a control plane, and workers may not.
resource "aws_secretsmanager_secret" "join" {
  #checkov:skip=CKV2_AWS_57:The control plane makes a new token every hour; there is nothing for a function to rotate.
  count = local.kubeadm ? 1 : 0

  name                    = "${var.name}-kubeadm-join"
  description             = "How nodes join ${var.name}: written by its control plane"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = 0 # of no use once the cluster is gone
  tags                    = var.tags
}

resource "aws_secretsmanager_secret" "certificates" {
  #checkov:skip=CKV2_AWS_57:As above.
  count = local.kubeadm ? 1 : 0

  name                    = "${var.name}-kubeadm-certificates"
  description             = "Key of the certificates that control planes of ${var.name} share, new every hour"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = 0
  tags                    = var.tags
}

resource "aws_secretsmanager_secret" "kubeconfig" {
  #checkov:skip=CKV2_AWS_57:A client certificate of the cluster's authority: kubeadm renews it with each upgrade.
  count = local.kubeadm ? 1 : 0

  name                    = "${var.name}-kubeconfig"
  description             = "Administrator's kubeconfig of ${var.name}"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = 0
  tags                    = var.tags
}
