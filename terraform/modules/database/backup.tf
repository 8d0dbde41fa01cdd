# The bucket of pgBackRest: full and incremental backups, and every segment of the log.

resource "aws_s3_bucket" "backup" {
  #checkov:skip=CKV_AWS_144:Another region would be another country; the office keeps a copy where it must (docs/how-to/restore-database.md).
  #checkov:skip=CKV_AWS_18:Its only reader and writer is the nodes' role; CloudTrail's data events show who else tried.
  #checkov:skip=CKV2_AWS_62:Nothing reacts to a backup's arrival.
  #checkov:skip=CKV_AWS_145:With kms_key_arn it is the caller's key; S3's own otherwise.
  count = local.patroni ? 1 : 0

  bucket_prefix = "${var.name}-postgres-backup-"
  force_destroy = !var.deletion_protection
}

resource "aws_s3_bucket_public_access_block" "backup" {
  count = local.patroni ? 1 : 0

  bucket                  = aws_s3_bucket.backup[0].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_versioning" "backup" {
  count = local.patroni ? 1 : 0

  bucket = aws_s3_bucket.backup[0].id

  # A node that is broken into can delete its backups, but not their versions.
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "backup" {
  count = local.patroni ? 1 : 0

  bucket = aws_s3_bucket.backup[0].id

  rule {
    bucket_key_enabled = var.kms_key_arn != null

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms_key_arn == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "backup" {
  count = local.patroni ? 1 : 0

  bucket     = aws_s3_bucket.backup[0].id
  depends_on = [aws_s3_bucket_versioning.backup]

  rule {
    id     = "old-versions"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = var.backup_days
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }
}

data "aws_iam_policy_document" "backup" {
  count = local.patroni ? 1 : 0

  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.backup[0].arn, "${aws_s3_bucket.backup[0].arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "backup" {
  count = local.patroni ? 1 : 0

  bucket     = aws_s3_bucket.backup[0].id
  policy     = data.aws_iam_policy_document.backup[0].json
  depends_on = [aws_s3_bucket_public_access_block.backup]
}
