variable "node_count" {
  description = "Database nodes, spread over the subnets; etcd is on each of them."
  type        = number
  default     = 3

  validation {
    condition     = contains([3, 5, 7], var.node_count)
    error_message = "node_count must be 3, 5 or 7; it is ${var.node_count}. With an even number etcd bears no more losses than with one node less, and with one node none."
  }
}

variable "instance_type" {
  description = "EC2 type of the nodes; docs/adr/0041-database-size.md says how much memory they need. Nitro types only: disks are found by their NVMe names."
  type        = string
  default     = "t4g.medium"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]*\\.[a-z0-9]+$", var.instance_type)) && !can(regex("^(t1|t2|m1|m2|m3|m4|c1|c3|c4|r3|r4|i2|i3|d2)\\.", var.instance_type)) && !can(regex("\\.(nano|micro)$", var.instance_type))
    error_message = "instance_type must be a Nitro type with 2 GiB or more, such as t4g.medium or m7g.large; it is ${var.instance_type}."
  }
}

variable "memory_mib" {
  description = "Memory in MiB that PostgreSQL's settings follow from; null: instance_type's, as AWS says."
  type        = number
  default     = null

  validation {
    condition     = coalesce(var.memory_mib, 1900) >= 1900
    error_message = "memory_mib must be 1900 or more; it is ${coalesce(var.memory_mib, 0)}."
  }
}

variable "ami_id" {
  description = "Debian 12 image; null: Debian's newest for the type's processor. Existing nodes keep theirs until they are replaced."
  type        = string
  default     = null

  validation {
    condition     = var.ami_id == null || can(regex("^ami-[0-9a-f]+$", var.ami_id))
    error_message = "ami_id must look like ami-0123456789abcdef0; it is ${coalesce(var.ami_id, "null")}."
  }
}

variable "archive_timeout" {
  description = "Seconds after which WAL that was begun goes to the backup: the most that is lost with all nodes at once."
  type        = number
  default     = 60

  validation {
    condition     = var.archive_timeout >= 10 && var.archive_timeout <= 300
    error_message = "archive_timeout must be 10 to 300 seconds (the archive may lag at most five minutes); it is ${var.archive_timeout}."
  }
}

variable "client_names" {
  description = "DNS names that lead to the load balancer; they stand in the servers' certificates, so that clients can ask for sslmode=verify-full."
  type        = list(string)
  default     = ["postgres.titanium.internal"]
}

variable "ssh_key_name" {
  description = "EC2 key pair for SSH from admin_cidrs; null: no SSH."
  type        = string
  default     = null
}

variable "admin_cidrs" {
  description = "Networks (of the tunnels) that may use SSH; nothing without ssh_key_name."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for cidr in var.admin_cidrs : can(cidrhost(cidr, 0)) && try(tonumber(split("/", cidr)[1]), 0) >= 8])
    error_message = "admin_cidrs must be networks such as 172.16.60.0/24, none wider than /8: there is no public SSH; it is ${jsonencode(var.admin_cidrs)}."
  }
}

variable "restore" {
  description = "Begin as a copy of another cluster's backup instead of empty: its name, its bucket, and until when, e.g. \"2026-11-20 14:05:00+09\" (null: the newest). See docs/how-to/restore-database.md."
  type = object({
    cluster = string
    bucket  = string
    target  = optional(string)
  })
  default = null

  validation {
    condition     = try(var.restore.target, null) == null || can(regex("^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d(\\.\\d+)?[+-]\\d\\d(:?\\d\\d)?$", var.restore.target))
    error_message = "restore.target must be a time with its zone, such as \"2026-11-20 14:05:00+09\"; it is ${coalesce(try(var.restore.target, null), "null")}."
  }

  validation {
    condition     = try(var.restore.cluster, "") != var.name
    error_message = "restore makes a new cluster beside the old one: name must differ from restore.cluster (${try(var.restore.cluster, "")})."
  }
}
