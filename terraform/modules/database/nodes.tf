# The nodes. What a node keeps (address, data, etcd's log) outlives its instance: an instance is
# replaced, never repaired, and finds everything again.

locals {
  arm = can(regex("^[a-z]+[0-9]+[a-z]*g[a-z]*\\.", var.instance_type))

  image = local.patroni ? coalesce(var.ami_id, one(data.aws_ami.debian[*].id)) : null

  repository = {
    type        = "s3"
    path        = "/${var.name}"
    s3-endpoint = "s3.${data.aws_region.current.name}.amazonaws.com"
    s3-region   = data.aws_region.current.name
    # By the instance's role: there is no key to keep or to lose.
    s3-key-type = "auto"
  }
}

data "aws_ami" "debian" {
  count = local.patroni && var.ami_id == null ? 1 : 0

  owners      = ["136693071363"] # Debian: https://wiki.debian.org/Cloud/AmazonEC2Image
  most_recent = true

  filter {
    name   = "name"
    values = ["debian-12-${local.arm ? "arm64" : "amd64"}-*"]
  }
}

# PostgreSQL's settings follow from the machine's memory.
data "aws_ec2_instance_type" "node" {
  count = local.patroni && var.memory_mib == null ? 1 : 0

  instance_type = var.instance_type
}

module "node" {
  source   = "./modules/node"
  for_each = local.nodes

  name              = each.key
  cluster           = var.name
  nodes             = { for name, interface in aws_network_interface.node : name => interface.private_ip }
  region            = data.aws_region.current.name
  cluster_secret_id = one(aws_secretsmanager_secret.nodes[*].name)
  client_secret_id  = aws_secretsmanager_secret.client.name
  endpoint_names    = concat(var.client_names, [one(aws_lb.this[*].dns_name)])
  memory_mib        = coalesce(var.memory_mib, one(data.aws_ec2_instance_type.node[*].memory_size))
  services          = var.services
  archive_timeout   = var.archive_timeout
  repository        = merge(local.repository, { s3-bucket = one(aws_s3_bucket.backup[*].id) })
  # Clients come by way of the proxies: a server sees the nodes' addresses and no other.
  client_cidrs = [for interface in aws_network_interface.node : "${interface.private_ip}/32"]
  volumes      = { (aws_ebs_volume.data[each.key].id) = "/var/lib/postgresql", (aws_ebs_volume.etcd[each.key].id) = "/var/lib/etcd" }
  restore = var.restore == null ? null : {
    cluster    = var.restore.cluster
    target     = var.restore.target
    repository = merge(local.repository, { s3-bucket = var.restore.bucket, path = "/${var.restore.cluster}" })
  }
}

# Made before the instances: every node's configuration names the addresses of all.
resource "aws_network_interface" "node" {
  for_each = local.nodes

  subnet_id       = each.value
  description     = "Database node ${each.key}"
  security_groups = [aws_security_group.database.id]
  tags            = { Name = each.key }
}

resource "aws_ebs_volume" "data" {
  #checkov:skip=CKV_AWS_189:With kms_key_arn it is the caller's key; AWS's own otherwise.
  #checkov:skip=CKV2_AWS_9:pgBackRest saves to S3, to any second; a volume's snapshot would be a second, coarser copy.
  for_each = local.nodes

  availability_zone = data.aws_subnet.this[each.key].availability_zone
  size              = var.data_gib
  type              = "gp3"
  encrypted         = true
  kms_key_id        = var.kms_key_arn
  tags              = { Name = "${each.key}-data" }
}

# etcd of its own: a member that waits behind PostgreSQL's checkpoint loses elections. The smallest gp3
# has 3,000 operations a second like any other.
resource "aws_ebs_volume" "etcd" {
  #checkov:skip=CKV_AWS_189:As above.
  #checkov:skip=CKV2_AWS_9:Holds who leads, no data; an empty member fills itself from the others.
  for_each = local.nodes

  availability_zone = data.aws_subnet.this[each.key].availability_zone
  size              = 1
  type              = "gp3"
  encrypted         = true
  kms_key_id        = var.kms_key_arn
  tags              = { Name = "${each.key}-etcd" }
}

resource "aws_instance" "node" {
  #checkov:skip=CKV2_AWS_41:It has a role (iam_instance_profile); checkov does not follow the module's count.
  #checkov:skip=CKV_AWS_126:Detailed monitoring costs by the metric; Prometheus watches the nodes.
  #checkov:skip=CKV_AWS_88:No public address: the interface is in a subnet that gives none.
  for_each = local.nodes

  ami                  = local.image
  instance_type        = var.instance_type
  iam_instance_profile = one(aws_iam_instance_profile.node[*].name)
  key_name             = var.ssh_key_name
  ebs_optimized        = true
  user_data_base64     = base64gzip(module.node[each.key].user_data)
  tags                 = merge(var.tags, { Name = each.key })

  network_interface {
    device_index         = 0
    network_interface_id = aws_network_interface.node[each.key].id
  }

  # Version 2 only, one hop: a request that a program on the node is tricked into cannot fetch the role.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  root_block_device {
    volume_type = "gp3"
    volume_size = 8
    encrypted   = true
    kms_key_id  = var.kms_key_arn
  }

  lifecycle {
    # A new image or a new setting must not stop three nodes at once: nodes are replaced one by one
    # (README), and take both up then.
    ignore_changes = [ami, user_data_base64]
  }
}

resource "aws_volume_attachment" "data" {
  for_each = local.nodes

  device_name = "/dev/sdf"
  instance_id = aws_instance.node[each.key].id
  volume_id   = aws_ebs_volume.data[each.key].id
  # A replaced instance ends first: it stops PostgreSQL properly and lets the volume go.
  stop_instance_before_detaching = true
}

resource "aws_volume_attachment" "etcd" {
  for_each = local.nodes

  device_name                    = "/dev/sdg"
  instance_id                    = aws_instance.node[each.key].id
  volume_id                      = aws_ebs_volume.etcd[each.key].id
  stop_instance_before_detaching = true
}
