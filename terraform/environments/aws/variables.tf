# Defaults are profile light (light.tfvars says why); standard.tfvars changes them. What is yours
# (domain, office, people) goes into terraform.tfvars: see terraform.tfvars.example.

variable "region" {
  description = "AWS region."
  type        = string
  default     = "ap-northeast-2"
}

variable "account_id" {
  description = "The only account that may be changed; null takes whichever the credentials are of."
  type        = string
  default     = null

  validation {
    condition     = var.account_id == null || can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id must be the twelve digits of an AWS account."
  }
}

variable "name" {
  description = "Prefix of every name; k8s-manifests expects secrets called titanium-..."
  type        = string
  default     = "titanium"
}

variable "environment" {
  description = "Tag Environment of every resource."
  type        = string
  default     = "production"
}

# Network

variable "cidr" {
  description = "The VPC's block."
  type        = string
  default     = "10.0.0.0/16"
}

variable "zones" {
  description = "Two or three availability zones of the region."
  type        = list(string)
  default     = ["ap-northeast-2a", "ap-northeast-2b", "ap-northeast-2c"]

  validation {
    condition     = alltrue([for zone in var.zones : startswith(zone, var.region)])
    error_message = "zones must be of region ${var.region}; wrong: ${join(", ", [for zone in var.zones : zone if !startswith(zone, var.region)])}."
  }
}

variable "nat" {
  description = "NAT gateways: one, per_zone or none."
  type        = string
  default     = "one"
}

variable "endpoints" {
  description = "AWS services reached without NAT; s3 is free, each other costs by the hour and zone."
  type        = list(string)
  default     = ["s3"]
}

# Kubernetes

variable "kubernetes_mode" {
  description = "eks or kubeadm."
  type        = string
  default     = "eks"
}

variable "kubernetes_version" {
  description = "Minor version."
  type        = string
  default     = "1.35"
}

variable "node_groups" {
  description = "Groups of nodes (module kubernetes). min 0 where the schedule stops them."
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
  default = {
    application = {
      instance_types = ["t4g.large"]
      min            = 0
      max            = 5
      desired        = 3
      disk_gib       = 30
    }
  }
}

variable "endpoint_public_cidrs" {
  description = "Networks that may reach the API server without a tunnel."
  type        = list(string)
  default     = []
}

variable "administrator_arns" {
  description = "IAM roles or users that administer the cluster."
  type        = list(string)
  default     = []
}

variable "control_plane_log_types" {
  description = "What EKS's control plane logs."
  type        = list(string)
  default     = ["audit", "authenticator"]
}

# Data

variable "database_mode" {
  description = "patroni (three EC2 nodes) or rds (Multi-AZ)."
  type        = string
  default     = "patroni"
}

variable "database_instance_type" {
  description = "EC2 type of the Patroni nodes."
  type        = string
  default     = "t4g.medium"
}

variable "database_instance_class" {
  description = "RDS class, in mode rds."
  type        = string
  default     = "db.t3.medium"
}

variable "database_node_count" {
  description = "Patroni nodes: odd."
  type        = number
  default     = 3
}

variable "database_gib" {
  description = "Data volume of each database node, GiB."
  type        = number
  default     = 20
}

variable "cache_node_type" {
  description = "ElastiCache node type."
  type        = string
  default     = "cache.t4g.micro"
}

variable "cache_replicas" {
  description = "Copies of the cache besides the primary."
  type        = number
  default     = 0
}

# Edge

variable "domain" {
  description = "The name that people type, such as titanium.example.org."
  type        = string
}

variable "create_zone" {
  description = "Whether to make a Route 53 zone for the domain."
  type        = bool
  default     = false
}

variable "zone_id" {
  description = "Route 53 zone that exists and holds the domain."
  type        = string
  default     = null
}

variable "certificate_arn" {
  description = "ACM certificate that exists; null requests one."
  type        = string
  default     = null
}

variable "rate_limit" {
  description = "Requests of one address in five minutes before the firewall refuses more."
  type        = number
  default     = 2000
}

# Tunnels

variable "office_cidr" {
  description = "The office's network."
  type        = string
  default     = "172.16.4.0/24"
}

variable "office_public_ip" {
  description = "Public address of the office's pfSense; null: no tunnel to the office."
  type        = string
  default     = null
}

variable "wireguard_cidr" {
  description = "Network of the laptops."
  type        = string
  default     = "172.16.60.0/24"
}

variable "wireguard_port" {
  description = "UDP port of WireGuard."
  type        = number
  default     = 51820
}

variable "vpn_peers" {
  description = "Laptops: `titanium vpn peer add` writes them."
  type = list(object({
    name       = string
    public_key = string
    address    = string
  }))
  default = []
}

# Running

variable "office_hours" {
  description = "Whether nodes and database run on weekdays from 09:00 to 02:00 alone."
  type        = bool
  default     = true

  validation {
    condition     = !var.office_hours || alltrue([for group in values(var.node_groups) : group.min == 0])
    error_message = "office_hours takes node groups to zero: set min = 0 in every node group, or office_hours = false."
  }

  validation {
    condition     = !var.office_hours || var.kubernetes_mode == "eks"
    error_message = "office_hours stops EKS node groups; with kubernetes_mode = \"kubeadm\" set it to false."
  }
}

variable "timezone" {
  description = "Time zone of the schedule."
  type        = string
  default     = "Asia/Seoul"
}

variable "start" {
  description = "When the platform starts, in the time zone."
  type        = string
  default     = "cron(0 9 ? * MON-FRI *)"
}

variable "stop" {
  description = "When the platform stops."
  type        = string
  default     = "cron(0 2 ? * TUE-SAT *)"
}

variable "log_days" {
  description = "Days that logs are kept."
  type        = number
  default     = 365

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_days)
    error_message = "log_days must be one of the periods of CloudWatch Logs (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731 or whole years up to ten); it is ${var.log_days}."
  }
}

variable "secrets_version" {
  description = "Raise it to write new passwords into every secret; then follow docs/how-to/deploy-aws.md#new-passwords."
  type        = number
  default     = 1
}

variable "configure_cache" {
  description = "Whether applying gives the cache's users their passwords (set-cache-passwords.sh, which needs aws and jq). False: run it yourself afterwards."
  type        = bool
  default     = true
}

variable "protect" {
  description = "Whether load balancer and database refuse to be destroyed, and logs and secrets outlive destroying. Set false and apply before terraform destroy."
  type        = bool
  default     = true
}
