variable "name" {
  description = "Prefix of every name that the module gives."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,23}$", var.name))
    error_message = "name must be 2 to 24 lower-case letters, digits or hyphens and start with a letter; it is ${var.name}."
  }
}

variable "enabled" {
  description = "Whether the schedules fire; false keeps them, switched off."
  type        = bool
  default     = true
}

variable "timezone" {
  description = "IANA time zone of the expressions."
  type        = string
  default     = "Asia/Seoul"

  validation {
    condition     = can(regex("^([A-Z][A-Za-z_+-]+(/[A-Z][A-Za-z_+-]+)+|UTC)$", var.timezone))
    error_message = "timezone must be an IANA name such as Asia/Seoul; it is ${var.timezone}."
  }
}

variable "start" {
  description = "When the database starts. AWS cron: minute hour day-of-month month day-of-week year."
  type        = string
  default     = "cron(0 9 ? * MON-FRI *)"

  # AWS wants "?" in one of the two day fields; the minute is a plain number because the second tier
  # follows stagger_minutes later.
  validation {
    condition     = can(regex("^cron\\([0-5]?[0-9] ([01]?[0-9]|2[0-3]) (\\? [A-Z0-9*,/-]+ [A-Z0-9,#L-]+|[0-9*,/LW-]+ [A-Z0-9*,/-]+ \\?) [0-9*,/-]+\\)$", var.start))
    error_message = "start must be six fields such as cron(0 9 ? * MON-FRI *): a plain minute and hour, and ? for day-of-month or day-of-week; it is ${var.start}."
  }
}

variable "stop" {
  description = "When the node groups go to zero; the database stops stagger_minutes later."
  type        = string
  default     = "cron(0 2 ? * TUE-SAT *)"

  validation {
    condition     = can(regex("^cron\\([0-5]?[0-9] ([01]?[0-9]|2[0-3]) (\\? [A-Z0-9*,/-]+ [A-Z0-9,#L-]+|[0-9*,/LW-]+ [A-Z0-9*,/-]+ \\?) [0-9*,/-]+\\)$", var.stop))
    error_message = "stop must be six fields such as cron(0 2 ? * TUE-SAT *): a plain minute and hour, and ? for day-of-month or day-of-week; it is ${var.stop}."
  }
}

variable "stagger_minutes" {
  description = "Minutes between the tiers: the database starts before the application and stops after it. Nodes of the cluster take up to 15 minutes to drain."
  type        = number
  default     = 15

  validation {
    condition     = var.stagger_minutes >= 1 && var.stagger_minutes <= 20 && floor(var.stagger_minutes) == var.stagger_minutes
    error_message = "stagger_minutes must be 1 to 20; it is ${var.stagger_minutes}."
  }

  validation {
    condition = alltrue([for expression in [var.start, var.stop] :
    try(tonumber(regex("^cron\\(([0-9]+) ", expression)[0]) + 2 * var.stagger_minutes < 60, true)])
    error_message = "start and stop must leave 2 x stagger_minutes (${2 * var.stagger_minutes}) before the end of their hour."
  }
}

variable "instance_ids" {
  description = "EC2 instances of the database tier: stable name => instance id."
  type        = map(string)
  default     = {}
}

variable "rds_instance_ids" {
  description = "RDS instances to stop: stable name => identifier. AWS starts a stopped one again after seven days."
  type        = map(string)
  default     = {}
}

variable "node_groups" {
  description = "EKS node groups: cluster => group => sizes while the platform runs."
  type = map(map(object({
    min     = number
    max     = number
    desired = number
  })))
  default = {}

  validation {
    condition     = alltrue(flatten([for groups in values(var.node_groups) : [for size in values(groups) : size.min <= size.desired && size.desired <= size.max && size.max >= 1]]))
    error_message = "node_groups must have min <= desired <= max and max of 1 or more in every group."
  }
}

variable "kms_key_arn" {
  description = "Key that encrypts the schedules and the queue of calls that failed. Null: AWS's own keys."
  type        = string
  default     = null
}

variable "use_kms_key" {
  description = "Whether kms_key_arn is set: a key made by the same plan is not known while planning."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of every resource, besides the provider's default tags."
  type        = map(string)
  default     = {}
}
