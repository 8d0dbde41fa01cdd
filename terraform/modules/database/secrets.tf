# Two secrets, made empty: the nodes fill them at their first start (modules/node/files/identity.py), so
# that no value is ever in a plan, in the state or in user data. `nodes` is for the nodes alone: the
# authority's key and the inner passwords. `client` is what clients may know; with rds it is filled by
# provision-database.sh of environments/aws, and the administrator's password is in a secret that RDS makes.

resource "aws_secretsmanager_secret" "nodes" {
  #checkov:skip=CKV2_AWS_57:Its authority and passwords belong to a cluster for its life; docs/how-to/restore-database.md says how they are changed.
  #checkov:skip=CKV_AWS_149:With kms_key_arn it is the caller's key; AWS's own otherwise.
  count = local.patroni ? 1 : 0

  name                    = "${var.name}-postgres-nodes"
  description             = "For the database nodes alone: authority's key and inner passwords; written by the first of them"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.deletion_protection ? 30 : 0
}

resource "aws_secretsmanager_secret" "client" {
  #checkov:skip=CKV2_AWS_57:As above.
  #checkov:skip=CKV_AWS_149:As above.
  name                    = "${var.name}-postgres"
  description             = "Of postgres: ${local.patroni ? "password, " : ""}monitor_password, ca_certificate"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.deletion_protection ? 30 : 0
}
