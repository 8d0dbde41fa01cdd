variable "name" {
  description = "Prefix of every group's name."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,23}$", var.name))
    error_message = "name must be 2 to 24 lower-case letters, digits or hyphens and start with a letter; it is ${var.name}."
  }
}

variable "vpc_id" {
  description = "The VPC that the groups belong to."
  type        = string
}

variable "groups" {
  description = "Security groups: key => what it protects."
  type        = map(string)

  validation {
    condition     = alltrue([for key, text in var.groups : can(regex("^[a-z][a-z0-9_]*$", key)) && length(text) > 0])
    error_message = "groups must map keys such as load_balancer (lower case, digits, underscores) to a description that is not empty."
  }

  # AWS takes no other characters, and says so only while applying.
  validation {
    condition     = alltrue([for text in values(var.groups) : can(regex("^[a-zA-Z0-9 ._:/()#,@\\[\\]+=&;{}!$*-]{0,255}$", text))])
    error_message = "AWS takes letters, digits, spaces and ._-:/()#,@[]+=&;{}!$* in a description (no apostrophe), 255 at most; wrong in: ${join(", ", [for key, text in var.groups : key if !can(regex("^[a-zA-Z0-9 ._:/()#,@\\[\\]+=&;{}!$*-]{0,255}$", text))])}."
  }
}

variable "rules" {
  description = <<-END
    Rules: name => what is let in or out. The other side is exactly one of: cidrs, group (a key of
    groups), security_group_id, prefix_list_id, self. Ports are ignored for protocol "-1".
  END
  type = map(object({
    of                = string
    description       = string
    type              = string
    protocol          = optional(string, "tcp")
    from_port         = optional(number)
    to_port           = optional(number)
    cidrs             = optional(list(string), [])
    group             = optional(string)
    security_group_id = optional(string)
    prefix_list_id    = optional(string)
    self              = optional(bool, false)
  }))
  default = {}

  validation {
    condition     = alltrue([for rule in values(var.rules) : contains(["ingress", "egress"], rule.type)])
    error_message = "type must be ingress or egress in: ${join(", ", [for name, rule in var.rules : name if !contains(["ingress", "egress"], rule.type)])}."
  }

  validation {
    condition     = alltrue([for rule in values(var.rules) : contains(["tcp", "udp", "icmp", "-1"], rule.protocol)])
    error_message = "protocol must be tcp, udp, icmp or -1 (all) in: ${join(", ", [for name, rule in var.rules : name if !contains(["tcp", "udp", "icmp", "-1"], rule.protocol)])}."
  }

  validation {
    condition = alltrue([for rule in values(var.rules) :
    rule.protocol == "-1" || (rule.from_port != null && rule.to_port != null && coalesce(rule.from_port, 0) <= coalesce(rule.to_port, 0))])
    error_message = "from_port and to_port (not smaller) are needed in: ${join(", ", [for name, rule in var.rules : name if rule.protocol != "-1" && (rule.from_port == null || rule.to_port == null || coalesce(rule.from_port, 0) > coalesce(rule.to_port, 0))])}."
  }

  validation {
    condition     = alltrue([for rule in values(var.rules) : length(rule.description) > 0])
    error_message = "Every rule says why it is there: description is empty in ${join(", ", [for name, rule in var.rules : name if length(rule.description) == 0])}."
  }

  # As above, of rules.
  validation {
    condition     = alltrue([for rule in values(var.rules) : can(regex("^[a-zA-Z0-9 ._:/()#,@\\[\\]+=&;{}!$*-]{0,255}$", rule.description))])
    error_message = "AWS takes letters, digits, spaces and ._-:/()#,@[]+=&;{}!$* in a description (no apostrophe), 255 at most; wrong in: ${join(", ", [for name, rule in var.rules : name if !can(regex("^[a-zA-Z0-9 ._:/()#,@\\[\\]+=&;{}!$*-]{0,255}$", rule.description))])}."
  }

  validation {
    condition     = alltrue([for rule in values(var.rules) : contains(keys(var.groups), rule.of)])
    error_message = "These rules belong to a group that groups does not have: ${join(", ", [for name, rule in var.rules : "${name} (${rule.of})" if !contains(keys(var.groups), rule.of)])}."
  }

  validation {
    condition     = alltrue([for rule in values(var.rules) : rule.group == null || contains(keys(var.groups), coalesce(rule.group, "-"))])
    error_message = "These rules name another side that groups does not have: ${join(", ", [for name, rule in var.rules : "${name} (${coalesce(rule.group, "-")})" if rule.group != null && !contains(keys(var.groups), coalesce(rule.group, "-"))])}."
  }

  validation {
    condition = alltrue([for rule in values(var.rules) :
      (length(rule.cidrs) > 0 ? 1 : 0) + (rule.group != null ? 1 : 0) + (rule.security_group_id != null ? 1 : 0)
    + (rule.prefix_list_id != null ? 1 : 0) + (rule.self ? 1 : 0) == 1])
    error_message = "Each rule has exactly one other side: cidrs, group, security_group_id, prefix_list_id or self."
  }

  validation {
    condition     = alltrue(flatten([for rule in values(var.rules) : [for cidr in rule.cidrs : can(cidrhost(cidr, 0))]]))
    error_message = "cidrs must be networks in CIDR notation in: ${join(", ", [for name, rule in var.rules : name if !alltrue([for cidr in rule.cidrs : can(cidrhost(cidr, 0))])])}."
  }

  # What may be open to the whole internet is said twice: by the rule and by public_ports.
  validation {
    condition = alltrue([for rule in values(var.rules) :
      rule.type == "egress"
      || length([for cidr in rule.cidrs : cidr if endswith(cidr, "/0")]) == 0
    || (rule.from_port == rule.to_port && contains(var.public_ports, "${rule.protocol}/${coalesce(rule.from_port, 0)}"))])
    error_message = "Open to the whole internet without being in public_ports: ${join(", ", [for name, rule in var.rules : "${name} (${rule.protocol}/${coalesce(rule.from_port, 0)})" if rule.type == "ingress" && length([for cidr in rule.cidrs : cidr if endswith(cidr, "/0")]) > 0])}."
  }
}

variable "public_ports" {
  description = "What a rule may let in from everywhere, as protocol/port, such as tcp/443."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for port in var.public_ports : can(regex("^(tcp|udp)/[0-9]+$", port)) && !contains(["tcp/22", "tcp/3389", "tcp/5432", "tcp/6379"], port)])
    error_message = "public_ports holds entries such as tcp/443; SSH, RDP and databases are never public; got ${join(", ", var.public_ports)}."
  }
}

variable "tags" {
  description = "Tags of every resource, besides the provider's default tags."
  type        = map(string)
  default     = {}
}
