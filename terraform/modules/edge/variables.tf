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

variable "vpc_cidr" {
  description = "The VPC's block: where the load balancer may send to."
  type        = string
}

variable "public_subnet_ids" {
  description = "Public subnets, one a zone, two at least."
  type        = list(string)

  validation {
    condition     = length(var.public_subnet_ids) >= 2
    error_message = "public_subnet_ids must name subnets in two zones at least (a load balancer needs them); it has ${length(var.public_subnet_ids)}."
  }
}

variable "domain" {
  description = "The name that people type, such as titanium.example.org."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,}$", var.domain))
    error_message = "domain must be a host name such as titanium.example.org; it is ${var.domain}."
  }
}

variable "create_zone" {
  description = "Whether to make a public Route 53 zone for the domain; its name servers then go to the parent zone."
  type        = bool
  default     = false
}

variable "zone_id" {
  description = "A public Route 53 zone that exists and holds the domain. Null and create_zone false: no DNS."
  type        = string
  default     = null

  validation {
    condition     = !(var.create_zone && var.zone_id != null)
    error_message = "create_zone makes a zone and zone_id names one: set one of them, not both."
  }
}

variable "certificate_arn" {
  description = "ACM certificate of the domain. Null: one is requested and proved by DNS, which needs the zone."
  type        = string
  default     = null

  validation {
    condition     = var.certificate_arn == null || can(regex("^arn:aws[a-z-]*:acm:", var.certificate_arn))
    error_message = "certificate_arn must be an ACM ARN (arn:aws:acm:REGION:ACCOUNT:certificate/ID)."
  }

  validation {
    condition     = var.certificate_arn != null || var.create_zone || var.zone_id != null
    error_message = "A certificate is needed: set certificate_arn, or create_zone or zone_id so that one can be requested and proved by DNS."
  }
}

variable "create_alb" {
  description = "Whether the load balancer is made here (pods join its target group by a TargetGroupBinding) or by the AWS Load Balancer Controller from an Ingress."
  type        = bool
  default     = true
}

variable "health_check_path" {
  description = "What Route 53's health check asks for over HTTPS."
  type        = string
  default     = "/health"

  validation {
    condition     = startswith(var.health_check_path, "/")
    error_message = "health_check_path must start with /; it is ${var.health_check_path}."
  }
}

variable "health_check" {
  description = "Whether Route 53 checks the domain from outside (metric HealthCheckStatus, in us-east-1)."
  type        = bool
  default     = true
}

variable "rate_limit" {
  description = "Requests that one address may make in five minutes before the firewall refuses more; the gateway's own limits are narrower."
  type        = number
  default     = 2000

  validation {
    condition     = var.rate_limit >= 100 && var.rate_limit <= 2000000000
    error_message = "rate_limit must be between 100 and 2,000,000,000 requests in five minutes; it is ${var.rate_limit}."
  }
}

variable "counted_rules" {
  description = <<-END
    Managed rules that only count, by group (reputation, bad_inputs, common, sql). Bodies above 8 KiB are
    the gateway's business (413 above 1 MiB): the common rules would refuse every longer post.
  END
  type        = map(list(string))
  default     = { common = ["SizeRestrictions_BODY"] }

  validation {
    condition     = length(setsubtract(keys(var.counted_rules), ["reputation", "bad_inputs", "common", "sql"])) == 0
    error_message = "counted_rules knows the groups reputation, bad_inputs, common and sql; got ${join(", ", keys(var.counted_rules))}."
  }
}

variable "access_log_days" {
  description = "Days that the load balancer's access logs and the firewall's log are kept."
  type        = number
  default     = 365
}

variable "deletion_protection" {
  description = "Whether the load balancer refuses to be destroyed; switch it off and apply before destroying."
  type        = bool
  default     = true
}

variable "force_destroy_logs" {
  description = "Whether destroying deletes the access logs too; false keeps a bucket that is not empty."
  type        = bool
  default     = false
}

variable "kms_key_arn" {
  description = "Key that encrypts the firewall's log. Null: AWS's own key."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of every resource, besides the provider's default tags."
  type        = map(string)
  default     = {}
}
