variable "name" {
  description = "Prefix of every name that the module gives."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,23}$", var.name))
    error_message = "name must be 2 to 24 lower-case letters, digits or hyphens and start with a letter; it is ${var.name}."
  }
}

variable "cidr" {
  description = "The VPC's block; /16 leaves room for every subnet of three zones."
  type        = string
  default     = "10.0.0.0/16"

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && cidrhost(var.cidr, 0) == split("/", var.cidr)[0]
    error_message = "cidr must be a network in CIDR notation without host bits, such as 10.0.0.0/16; it is ${var.cidr}."
  }

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && try(tonumber(split("/", var.cidr)[1]) >= 16 && tonumber(split("/", var.cidr)[1]) <= 20, false)
    error_message = "cidr must be between /16 and /20 (AWS allows no larger VPC, three zones need no smaller one); it is ${var.cidr}."
  }
}

variable "reserved_cidrs" {
  description = "Networks that are reached through tunnels and must not overlap the VPC: name => CIDR."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for cidr in values(var.reserved_cidrs) : can(cidrhost(cidr, 0))])
    error_message = "reserved_cidrs must hold networks in CIDR notation, such as { office = \"172.16.4.0/24\" }."
  }

  # Two networks overlap exactly when they are the same at the shorter of their prefix lengths.
  validation {
    condition = alltrue([
      for cidr in values(var.reserved_cidrs) : try(
        cidrhost("${split("/", cidr)[0]}/${min(split("/", cidr)[1], split("/", var.cidr)[1])}", 0)
        != cidrhost("${split("/", var.cidr)[0]}/${min(split("/", cidr)[1], split("/", var.cidr)[1])}", 0),
        true
      )
    ])
    error_message = "The VPC's ${var.cidr} overlaps a network behind a tunnel (${join(", ", [for name, cidr in var.reserved_cidrs : "${name} ${cidr}"])}): packets for one would reach the other. Choose another cidr."
  }
}

variable "zones" {
  description = "Availability zones, two or three, of the provider's region. Subnets follow this order: append, do not reorder."
  type        = list(string)

  validation {
    condition     = length(var.zones) >= 2 && length(var.zones) <= 3 && length(distinct(var.zones)) == length(var.zones)
    error_message = "zones must name two or three different zones; it has ${length(var.zones)}: ${join(", ", var.zones)}."
  }

  validation {
    condition     = alltrue([for zone in var.zones : can(regex("^[a-z]{2}(-[a-z]+)+-[0-9][a-z]$", zone))])
    error_message = "zones must be names such as ap-northeast-2a (a region and a letter); got ${join(", ", var.zones)}."
  }
}

variable "nat" {
  description = "NAT gateways: one (cheap, its zone's loss cuts all off), per_zone, or none (nothing private reaches the internet)."
  type        = string
  default     = "one"

  validation {
    condition     = contains(["one", "per_zone", "none"], var.nat)
    error_message = "nat must be one, per_zone or none; it is ${var.nat}."
  }
}

variable "flow_logs" {
  description = "Whether accepted and rejected connections are recorded in CloudWatch Logs."
  type        = bool
  default     = true
}

variable "flow_log_days" {
  description = "Days that flow logs are kept."
  type        = number
  default     = 365

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.flow_log_days)
    error_message = "flow_log_days must be a retention that CloudWatch Logs knows (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096 ...); it is ${var.flow_log_days}."
  }
}

variable "endpoints" {
  description = "AWS services reached without NAT. s3 is a gateway and free; each other costs an interface by the hour in every zone."
  type        = list(string)
  default     = ["s3"]

  validation {
    condition     = length(setsubtract(var.endpoints, ["s3", "ecr.api", "ecr.dkr", "sts", "logs", "secretsmanager", "ec2", "ssm"])) == 0
    error_message = "endpoints may hold s3, ecr.api, ecr.dkr, sts, logs, secretsmanager, ec2 and ssm; got ${join(", ", var.endpoints)}."
  }
}

variable "cluster_name" {
  description = "The Kubernetes cluster whose load balancers may use the subnets; null leaves its tags out."
  type        = string
  default     = null
}

variable "kms_key_arn" {
  description = "Key that encrypts the flow logs; its policy must let CloudWatch Logs use it. Null: AWS's own key."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of every resource, besides the provider's default tags."
  type        = map(string)
  default     = {}
}
