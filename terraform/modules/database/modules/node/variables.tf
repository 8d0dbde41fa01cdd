variable "cluster" {
  description = "Name of the cluster: Patroni's scope, etcd's cluster token and pgBackRest's stanza."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.cluster))
    error_message = "cluster: 2 to 31 lower-case letters, digits or hyphens, beginning with a letter."
  }
}

variable "name" {
  description = "This node's name, a key of `nodes`."
  type        = string
}

variable "nodes" {
  description = "All nodes of the cluster, this one too: name => private address."
  type        = map(string)

  validation {
    condition     = length(var.nodes) >= 3 && length(var.nodes) % 2 == 1
    error_message = "nodes: an odd number of at least 3, so that etcd has a majority when one is lost."
  }
}

variable "region" {
  description = "AWS region of the secrets and of the backups."
  type        = string
}

variable "cluster_secret_id" {
  description = "Secrets Manager secret that only the nodes read: authority's key, administrator's and inner passwords."
  type        = string
}

variable "client_secret_id" {
  description = "Secrets Manager secret that clients read: exporter's password, authority's certificate."
  type        = string
}

variable "endpoint_names" {
  description = "DNS names under which clients reach the database; they stand in the server's certificate."
  type        = list(string)
  default     = []
}

variable "services" {
  description = "Services that get a database of their name: name => Secrets Manager secret (id or ARN) with database_password and database_owner_password."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.services) : can(regex("^[a-z][a-z0-9_]{0,57}$", name))])
    error_message = "services: names of databases, lower-case letters, digits and underscores."
  }
}

variable "postgres_version" {
  description = "Major version of PostgreSQL; Debian 12 has 15."
  type        = number
  default     = 15
}

variable "memory_mib" {
  description = "Memory of the instance in MiB: PostgreSQL's buffers and connections follow from it."
  type        = number

  validation {
    condition     = var.memory_mib >= 900
    error_message = "memory_mib: at least 900; PostgreSQL, Patroni and etcd do not fit into less."
  }
}

variable "archive_timeout" {
  description = "Seconds after which a WAL segment that was begun is archived: with it the most that is lost with all nodes."
  type        = number
  default     = 60

  validation {
    condition     = var.archive_timeout >= 10 && var.archive_timeout <= 300
    error_message = "archive_timeout: 10 to 300 seconds; the archive may lag at most five minutes."
  }
}

variable "repository" {
  description = "pgBackRest's repository: its `repo1-` options without the prefix, e.g. { type = \"s3\", s3-bucket = ... }."
  type        = map(string)
}

variable "restore" {
  description = "Begin as a copy of a backup at a point in time instead of empty: where it is, and until when (as pgBackRest's --target; null is the newest)."
  type = object({
    cluster    = string
    repository = map(string)
    target     = optional(string)
  })
  default = null
}

variable "volumes" {
  description = "EBS volumes to wait for, to format when blank and to mount: volume id => folder."
  type        = map(string)
  default     = {}
}

variable "node_cidrs" {
  description = "Where the nodes connect from, to copy and to follow the leader; null: their addresses. On loopback it is another address."
  type        = list(string)
  default     = null
}

variable "client_cidrs" {
  description = "Where clients connect from, over TLS and with a password; the nodes' proxies do it for them."
  type        = list(string)
}

variable "ports" {
  description = "Where everything listens."
  type = object({
    postgres      = number
    writer_proxy  = number
    reader_proxy  = number
    patroni       = number
    etcd_client   = number
    etcd_peer     = number
    node_exporter = optional(number, 9100)
  })
  default = { postgres = 5432, writer_proxy = 5000, reader_proxy = 5001, patroni = 8008, etcd_client = 2379, etcd_peer = 2380 }
}

variable "root" {
  description = "Put before every path. Empty on a server; tests run several nodes side by side."
  type        = string
  default     = ""
}

variable "postgres_bin" {
  description = "Folder of PostgreSQL's programs; null is Debian's."
  type        = string
  default     = null
}

variable "pgbackrest" {
  description = "pgBackRest's program."
  type        = string
  default     = "/usr/bin/pgbackrest"
}

variable "python" {
  description = "Python that Debian's Patroni and our scripts run with."
  type        = string
  default     = "/usr/bin/python3"
}

variable "account" {
  description = "System account that PostgreSQL and Patroni run as; it alone is administrator without a password."
  type        = string
  default     = "postgres"
}
