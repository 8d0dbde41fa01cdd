# Mode rds: AWS runs the server and its standby in another zone; the password is RDS' own affair.

resource "aws_db_subnet_group" "this" {
  count = local.rds ? 1 : 0

  name_prefix = "${var.name}-"
  description = "Database subnets of ${var.name}"
  subnet_ids  = var.subnet_ids
}

resource "aws_db_parameter_group" "this" {
  count = local.rds ? 1 : 0

  name_prefix = "${var.name}-"
  description = "PostgreSQL of ${var.name}"
  family      = "postgres${split(".", var.rds_version)[0]}"

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  parameter {
    name  = "log_lock_waits"
    value = "1"
  }

  # No statement text in the log: it could hold a secret.
  parameter {
    name  = "log_min_error_statement"
    value = "panic"
  }

  lifecycle {
    create_before_destroy = true
  }
}

# Made before the instance: RDS would make them itself, without our key and kept for ever.
resource "aws_cloudwatch_log_group" "rds" {
  #checkov:skip=CKV_AWS_158:With kms_key_arn it is the caller's key; AWS's own otherwise.
  for_each = local.rds ? toset(["postgresql", "upgrade"]) : toset([])

  name              = "/aws/rds/instance/${var.name}-database/${each.key}"
  retention_in_days = var.log_days
  kms_key_id        = var.kms_key_arn
}

# The last snapshot outlives its database, and its name is taken then. This one's id lasts as long as the
# database and is another for the next.
resource "terraform_data" "creation" {
  count = local.rds ? 1 : 0

  # What replaces the instance.
  triggers_replace = [var.name, var.kms_key_arn]
}

resource "aws_db_instance" "this" {
  #checkov:skip=CKV_AWS_118:Enhanced monitoring costs by the host; the exporter and CloudWatch have the figures that matter.
  #checkov:skip=CKV_AWS_129:Exported: upgrade and postgresql, below.
  #checkov:skip=CKV_AWS_161:The services log in with passwords of their own, which work on every PostgreSQL alike.
  #checkov:skip=CKV_AWS_353:Performance Insights is not to be had on every class; see the class's page, then add it.
  #checkov:skip=CKV_AWS_354:As above.
  #checkov:skip=CKV_AWS_226:Minor versions come by themselves (auto_minor_version_upgrade below).
  #checkov:skip=CKV2_AWS_30:Queries hold people's data: they are not logged.
  #checkov:skip=CKV_AWS_293:deletion_protection is the caller's, true by default.
  count = local.rds ? 1 : 0

  identifier     = "${var.name}-database"
  engine         = "postgres"
  engine_version = var.rds_version
  instance_class = var.rds_instance_class

  storage_type          = "gp3"
  allocated_storage     = var.data_gib
  max_allocated_storage = var.data_gib * 5 # grows by itself: a full disk stops every write
  storage_encrypted     = true
  kms_key_id            = var.kms_key_arn

  username                      = "titanium_admin"
  manage_master_user_password   = true
  master_user_secret_kms_key_id = var.kms_key_arn

  multi_az               = true
  publicly_accessible    = false
  db_subnet_group_name   = aws_db_subnet_group.this[0].name
  parameter_group_name   = aws_db_parameter_group.this[0].name
  vpc_security_group_ids = [aws_security_group.database.id]

  backup_retention_period         = var.backup_days
  backup_window                   = "18:00-19:00" # UTC: 03:00 in Seoul
  maintenance_window              = "sun:19:30-sun:20:30"
  auto_minor_version_upgrade      = true
  copy_tags_to_snapshot           = true
  enabled_cloudwatch_logs_exports = ["postgresql", "upgrade"]
  deletion_protection             = var.deletion_protection
  skip_final_snapshot             = !var.deletion_protection
  final_snapshot_identifier       = var.deletion_protection ? "${var.name}-database-final-${substr(terraform_data.creation[0].id, 0, 8)}" : null
  tags                            = var.tags

  depends_on = [aws_cloudwatch_log_group.rds]
}
