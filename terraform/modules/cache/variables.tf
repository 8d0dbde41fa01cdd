variable "name" {
  description = "Prefix of every name that the module gives."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,23}$", var.name))
    error_message = "name must be 2 to 24 lower-case letters, digits or hyphens and start with a letter; it is ${var.name}."
  }
}

variable "vpc_id" {
  description = "The VPC of the subnets."
  type        = string
}

variable "subnet_ids" {
  description = "Database subnets, one a zone."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "subnet_ids must name subnets in two zones at least; it has ${length(var.subnet_ids)}."
  }
}

variable "allowed_security_group_ids" {
  description = "Who may connect to port 6379: name => security group id."
  type        = map(string)
}

variable "node_type" {
  description = "ElastiCache node type; the smallest holds 0.5 GiB, plenty for a cache that may be lost."
  type        = string
  default     = "cache.t4g.micro"

  validation {
    condition     = can(regex("^cache\\.[a-z0-9]+\\.[a-z0-9]+$", var.node_type))
    error_message = "node_type must be an ElastiCache type such as cache.t4g.micro; it is ${var.node_type}."
  }
}

variable "replicas" {
  description = "Copies besides the primary, in other zones. 0: no failover; the platform is slower without a cache and loses nothing."
  type        = number
  default     = 0

  validation {
    condition     = var.replicas >= 0 && var.replicas <= 5 && floor(var.replicas) == var.replicas
    error_message = "replicas must be 0 to 5; it is ${var.replicas}."
  }
}

variable "engine_version" {
  description = "Valkey's version."
  type        = string
  default     = "8.0"

  validation {
    condition     = can(regex("^[78]\\.[0-9]+$", var.engine_version))
    error_message = "engine_version must be a Valkey version of ElastiCache such as 8.0; it is ${var.engine_version}."
  }
}

variable "users" {
  description = "Users of the services: name => access string without on/off. They are made switched off; scripts set the passwords (README)."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name, access in var.users : name != "default" && !can(regex("(^| )(on|off)( |$)", access))])
    error_message = "users must not name default, and access strings leave on and off out: the module switches users off until they have a password."
  }
}

variable "kms_key_arn" {
  description = "Key that encrypts data at rest. Null: AWS's own key."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of every resource, besides the provider's default tags."
  type        = map(string)
  default     = {}
}
