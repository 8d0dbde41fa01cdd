variable "name" {
  description = "Prefix of every name that the module gives; also the name of the Patroni cluster."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,19}$", var.name))
    error_message = "name must be 2 to 20 lower-case letters, digits or hyphens and start with a letter; it is ${var.name}."
  }
}

variable "mode" {
  description = "patroni: nodes of our own behind a network load balancer; rds: AWS runs PostgreSQL, Multi-AZ."
  type        = string
  default     = "patroni"

  validation {
    condition     = contains(["patroni", "rds"], var.mode)
    error_message = "mode must be patroni or rds; it is ${var.mode}."
  }
}

variable "vpc_id" {
  description = "The VPC of the subnets."
  type        = string
}

variable "subnet_ids" {
  description = "Database subnets, one a zone, without a way in from the internet. Nodes go round them; with a way out (NAT) for Debian's packages."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2 && length(distinct(var.subnet_ids)) == length(var.subnet_ids)
    error_message = "subnet_ids must name different subnets in two zones at least; it is ${jsonencode(var.subnet_ids)}."
  }
}

variable "allowed_security_group_ids" {
  description = "Who may connect to PostgreSQL: name => security group id."
  type        = map(string)
  default     = {}
}

variable "allowed_cidrs" {
  description = "Networks that may connect to PostgreSQL besides, e.g. the tunnels'."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for cidr in var.allowed_cidrs : can(cidrhost(cidr, 0)) && try(tonumber(split("/", cidr)[1]), 0) >= 8])
    error_message = "allowed_cidrs must be networks such as 172.16.4.0/24, none wider than /8: the database is never open to the world; it is ${jsonencode(var.allowed_cidrs)}."
  }
}

variable "monitor_security_group_ids" {
  description = "Who may read the nodes' own figures (node_exporter: disks, memory, CPU): name => security group id. Nothing with rds."
  type        = map(string)
  default     = {}
}

variable "services" {
  description = "Services that get a database and two roles: name => ARN of the secret with database_password and database_owner_password. The nodes make them (patroni); with rds see provision-database.sh of environments/aws."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.services) : can(regex("^[a-z][a-z0-9_]{0,57}$", name))])
    error_message = "services must be named like databases, lower-case letters, digits and underscores; they are ${join(", ", keys(var.services))}."
  }
}

variable "data_gib" {
  description = "Data volume of each node (patroni) or of the instance (rds), GiB."
  type        = number
  default     = 20

  validation {
    condition     = var.data_gib >= 20 && var.data_gib <= 16384 && floor(var.data_gib) == var.data_gib
    error_message = "data_gib must be a whole number from 20 to 16384; it is ${var.data_gib}."
  }
}

variable "kms_key_arn" {
  description = "KMS key for disks, backups and secrets; null: AWS's own keys."
  type        = string
  default     = null
}

variable "backup_days" {
  description = "Days that can be restored to (rds: 1 to 35); with patroni, days that old versions of backups are kept in the bucket."
  type        = number
  default     = 30

  validation {
    condition     = var.backup_days >= 1 && var.backup_days <= 35 && floor(var.backup_days) == var.backup_days
    error_message = "backup_days must be a whole number from 1 to 35; it is ${var.backup_days}."
  }
}

variable "deletion_protection" {
  description = "Whether load balancer or database refuse to be deleted, backups stay in the bucket, and secrets for 30 days."
  type        = bool
  default     = true
}

variable "tags" {
  description = "Tags of the instances, besides the provider's; the schedule and `titanium schedule` read them."
  type        = map(string)
  default     = {}
}
