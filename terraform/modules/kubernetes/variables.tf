variable "name" {
  description = "The cluster's name and the prefix of every other."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,23}$", var.name))
    error_message = "name must be 2 to 24 lower-case letters, digits or hyphens and start with a letter; it is ${var.name}."
  }
}

variable "mode" {
  description = "eks (AWS runs the control plane) or kubeadm (three EC2 instances and a load balancer, run by you)."
  type        = string
  default     = "eks"

  validation {
    condition     = contains(["eks", "kubeadm"], var.mode)
    error_message = "mode must be eks or kubeadm; it is ${var.mode}."
  }
}

variable "kubernetes_version" {
  description = "Minor version. Past its standard support EKS costs six times as much an hour."
  type        = string
  default     = "1.35"

  validation {
    condition     = can(regex("^1\\.(3[2-6])$", var.kubernetes_version))
    error_message = "kubernetes_version must be 1.32 to 1.36, which the platform's mesh supports; it is ${var.kubernetes_version}."
  }

  validation {
    condition     = var.mode != "kubeadm" || var.kubernetes_version != "1.36"
    error_message = "mode kubeadm takes Kubernetes up to 1.35, the last that works with containerd 1, which Debian has; it is ${var.kubernetes_version}."
  }
}

variable "vpc_id" {
  description = "The VPC of the subnets."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets of the nodes and of the control plane's interfaces, one a zone."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "subnet_ids must name subnets in two zones at least; it has ${length(var.subnet_ids)}."
  }
}

variable "node_groups" {
  description = <<-END
    Groups of nodes spread over the subnets' zones. arch is x86_64 or arm64 and must fit the types.
    A group that the schedule stops has min 0. In mode kubeadm only the first type of each is used.
  END
  type = map(object({
    instance_types = list(string)
    arch           = optional(string, "arm64")
    min            = number
    max            = number
    desired        = number
    disk_gib       = optional(number, 30)
    labels         = optional(map(string), {})
    capacity       = optional(string, "ON_DEMAND")
  }))

  validation {
    condition     = length(var.node_groups) > 0
    error_message = "node_groups must name one group at least."
  }

  validation {
    condition     = alltrue([for group in values(var.node_groups) : group.min >= 0 && group.min <= group.desired && group.desired <= group.max && group.max >= 1])
    error_message = "node_groups need 0 <= min <= desired <= max and max of 1 or more; wrong in: ${join(", ", [for name, group in var.node_groups : name if !(group.min >= 0 && group.min <= group.desired && group.desired <= group.max && group.max >= 1)])}."
  }

  validation {
    condition     = alltrue([for group in values(var.node_groups) : contains(["x86_64", "arm64"], group.arch) && contains(["ON_DEMAND", "SPOT"], group.capacity)])
    error_message = "arch must be x86_64 or arm64, capacity ON_DEMAND or SPOT, in every group."
  }

  # The names of Graviton families have a g after their generation: t4g, m7g, c8gn.
  validation {
    condition = alltrue(flatten([for group in values(var.node_groups) : [for type in group.instance_types :
    can(regex("^[a-z]+[0-9]+g[a-z]*\\.", type)) == (group.arch == "arm64")]]))
    error_message = "The instance types of a group must be of its arch (Graviton types such as t4g.large are arm64): ${join(", ", [for name, group in var.node_groups : "${name} ${group.arch} ${join("/", group.instance_types)}"])}."
  }

  validation {
    condition     = alltrue([for group in values(var.node_groups) : group.disk_gib >= 20 && length(group.instance_types) > 0])
    error_message = "Every group needs an instance type and a disk of 20 GiB or more."
  }
}

variable "endpoint_public_cidrs" {
  description = "Networks that may reach the API server from the internet. Empty: from the VPC and the tunnels alone."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for cidr in var.endpoint_public_cidrs : can(cidrhost(cidr, 0)) && !endswith(cidr, "/0")])
    error_message = "endpoint_public_cidrs must be networks in CIDR notation and never the whole internet; got ${join(", ", var.endpoint_public_cidrs)}."
  }
}

variable "endpoint_private_cidrs" {
  description = "Networks that may reach the private API server besides the nodes, such as the office and the laptops."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for cidr in var.endpoint_private_cidrs : can(cidrhost(cidr, 0)) && !endswith(cidr, "/0")])
    error_message = "endpoint_private_cidrs must be networks in CIDR notation; got ${join(", ", var.endpoint_private_cidrs)}."
  }
}

variable "service_accounts" {
  description = "Service accounts that get an IAM role (IRSA, mode eks): role key => namespace, account, policy as JSON."
  type = map(object({
    namespace       = string
    service_account = string
    policy          = string
  }))
  default = {}
}

variable "administrator_arns" {
  description = "IAM roles or users that administer the cluster (mode eks). Who creates it is not one by that alone."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.administrator_arns : can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/", arn))])
    error_message = "administrator_arns must be ARNs of IAM roles or users (arn:aws:iam::ACCOUNT:role/NAME)."
  }
}

variable "control_plane_instance_type" {
  description = "Type of the control plane's instances (mode kubeadm)."
  type        = string
  default     = "t4g.small"
}

variable "control_plane_count" {
  description = "Instances of the control plane (mode kubeadm): odd, so that etcd keeps a majority."
  type        = number
  default     = 3

  validation {
    condition     = contains([1, 3, 5], var.control_plane_count)
    error_message = "control_plane_count must be 1, 3 or 5: an even number of etcd members survives no more losses than one fewer; it is ${var.control_plane_count}."
  }
}

variable "pod_cidr" {
  description = "Addresses of pods (mode kubeadm; on EKS pods have the VPC's)."
  type        = string
  default     = "10.244.0.0/16"

  validation {
    condition     = can(cidrhost(var.pod_cidr, 0))
    error_message = "pod_cidr must be a network in CIDR notation; it is ${var.pod_cidr}."
  }
}

variable "service_cidr" {
  description = "Addresses of Services; it must not overlap the VPC or what is behind a tunnel."
  type        = string
  default     = "10.96.0.0/16"

  validation {
    condition     = can(cidrhost(var.service_cidr, 0))
    error_message = "service_cidr must be a network in CIDR notation; it is ${var.service_cidr}."
  }
}

variable "log_days" {
  description = "Days that the control plane's logs are kept."
  type        = number
  default     = 365
}

variable "log_types" {
  description = "What the control plane of EKS logs; each line costs."
  type        = list(string)
  default     = ["api", "audit", "authenticator", "controllerManager", "scheduler"]
}

variable "kms_key_arn" {
  description = "Key that encrypts Kubernetes' Secrets, the nodes' disks and the control plane's logs."
  type        = string
}

variable "node_group_tags" {
  description = "Tags of the node groups alone, such as the schedule's. Nodes must not carry those: stopping one makes its group start another."
  type        = map(string)
  default     = {}
}

variable "tags" {
  description = "Tags of every resource, besides the provider's default tags. Nodes and disks carry both."
  type        = map(string)
  default     = {}
}
