variable "rds_instance_class" {
  description = "Class of the RDS instance."
  type        = string
  default     = "db.t3.medium"

  validation {
    condition     = can(regex("^db\\.[a-z0-9]+\\.[a-z0-9]+$", var.rds_instance_class))
    error_message = "rds_instance_class must be an RDS class such as db.t3.medium; it is ${var.rds_instance_class}."
  }
}

variable "rds_version" {
  description = "PostgreSQL's version on RDS, major or major.minor."
  type        = string
  default     = "17"

  validation {
    condition     = can(regex("^1[5-9](\\.[0-9]+)?$", var.rds_version))
    error_message = "rds_version must be 15 or newer, such as 17 or 17.6; it is ${var.rds_version}."
  }
}

variable "log_days" {
  description = "Days that the RDS instance's logs are kept; with patroni they are in the nodes' journals."
  type        = number
  default     = 365
}
