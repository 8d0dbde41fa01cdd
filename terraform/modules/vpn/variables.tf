variable "name" {
  description = "Prefix of every name, and of the parameters' paths."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,23}$", var.name))
    error_message = "name is 2 to 24 lower-case letters, digits and hyphens, and begins with a letter."
  }
}

variable "vpc_id" {
  description = "The VPC that both tunnels lead to."
  type        = string
}

variable "vpc_cidr" {
  description = "Its addresses: all that laptops and the office may reach through a tunnel."
  type        = string
  default     = "10.0.0.0/16"

  validation {
    condition     = can(cidrhost(var.vpc_cidr, 2))
    error_message = "vpc_cidr is an IPv4 network such as 10.0.0.0/16."
  }
}

variable "route_table_ids" {
  description = "Route tables of the subnets that answer laptops and the office."
  type        = list(string)

  validation {
    condition     = length(var.route_table_ids) > 0
    error_message = "route_table_ids is empty: nothing in the VPC could answer through a tunnel."
  }
}

variable "office_cidr" {
  description = "The office's network, behind its pfSense."
  type        = string
  default     = "172.16.4.0/24"

  validation {
    condition     = can(cidrhost(var.office_cidr, 1))
    error_message = "office_cidr is an IPv4 network such as 172.16.4.0/24."
  }

  # Two networks overlap when the shorter of their prefixes holds both.
  validation {
    condition = try(
      cidrhost("${cidrhost(var.office_cidr, 0)}/${min(split("/", var.office_cidr)[1], split("/", var.vpc_cidr)[1])}", 0)
      != cidrhost("${cidrhost(var.vpc_cidr, 0)}/${min(split("/", var.office_cidr)[1], split("/", var.vpc_cidr)[1])}", 0),
    false)
    error_message = "office_cidr ${var.office_cidr} overlaps vpc_cidr ${var.vpc_cidr}: an address of both would be reached at neither end. Renumber one of them."
  }
}

variable "office_public_ip" {
  description = "Public address of the office's pfSense. Null: no Site-to-Site tunnel."
  type        = string
  default     = null

  validation {
    condition = var.office_public_ip == null || (
      can(cidrhost("${var.office_public_ip}/32", 0))
      && !can(regex("^(10|127|0)\\.|^172\\.(1[6-9]|2[0-9]|3[01])\\.|^192\\.168\\.|^169\\.254\\.|^100\\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])\\.", var.office_public_ip))
    )
    error_message = "office_public_ip is the address that the internet sees of the office, such as 203.0.113.10: not a private one, and without a prefix length."
  }
}

variable "public_subnet_id" {
  description = "Subnet of the WireGuard server: one with a route to the internet gateway."
  type        = string
}

variable "wireguard_cidr" {
  description = "Network of the laptops. The server has its first address."
  type        = string
  default     = "172.16.60.0/24"

  validation {
    condition     = can(cidrhost(var.wireguard_cidr, 2)) && try(tonumber(split("/", var.wireguard_cidr)[1]) <= 29, false)
    error_message = "wireguard_cidr is an IPv4 network of 8 addresses or more, such as 172.16.60.0/24."
  }

  validation {
    condition = alltrue([for other in [var.vpc_cidr, var.office_cidr] : try(
      cidrhost("${cidrhost(var.wireguard_cidr, 0)}/${min(split("/", var.wireguard_cidr)[1], split("/", other)[1])}", 0)
      != cidrhost("${cidrhost(other, 0)}/${min(split("/", var.wireguard_cidr)[1], split("/", other)[1])}", 0),
    false)])
    error_message = "wireguard_cidr ${var.wireguard_cidr} overlaps the VPC's (${var.vpc_cidr}) or the office's (${var.office_cidr}) network. Choose one that is apart from both."
  }
}

variable "wireguard_port" {
  description = "UDP port of the WireGuard server: the only one open to the world."
  type        = number
  default     = 51820

  validation {
    condition     = var.wireguard_port >= 1024 && var.wireguard_port <= 65535 && floor(var.wireguard_port) == var.wireguard_port
    error_message = "wireguard_port is a whole number from 1024 to 65535."
  }
}

variable "peers" {
  description = "Who may connect: `titanium vpn peer add` writes this list. Public keys only."
  type = list(object({
    name       = string
    public_key = string
    address    = string
  }))
  default = []

  validation {
    condition     = alltrue([for peer in var.peers : can(regex("^[a-z0-9][a-z0-9-]{0,31}$", peer.name))])
    error_message = "A peer's name is 1 to 32 lower-case letters, digits and hyphens."
  }

  # 32 bytes in base64: the 43rd character carries four bits, so only sixteen can stand there.
  validation {
    condition     = alltrue([for peer in var.peers : can(regex("^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$", peer.public_key))])
    error_message = "A peer's public_key is what `wg pubkey` prints: 44 characters that end in =."
  }

  validation {
    condition = alltrue([for peer in var.peers : try(
      cidrhost("${peer.address}/${split("/", var.wireguard_cidr)[1]}", 0) == cidrhost(var.wireguard_cidr, 0)
      && !contains([cidrhost(var.wireguard_cidr, 0), cidrhost(var.wireguard_cidr, 1), cidrhost(var.wireguard_cidr, -1)], peer.address),
    false)])
    error_message = "A peer's address lies in ${var.wireguard_cidr}, has no prefix length, and is neither the network's, the server's nor the broadcast address."
  }

  validation {
    condition = alltrue([
      length(distinct(var.peers[*].name)) == length(var.peers),
      length(distinct(var.peers[*].public_key)) == length(var.peers),
      length(distinct(var.peers[*].address)) == length(var.peers),
    ])
    error_message = "Two peers share a name, a public key or an address: the second would take over the first one's tunnel."
  }
}

variable "instance_type" {
  description = "Of the WireGuard server. WireGuard encrypts on any processor; the network is the bound."
  type        = string
  default     = "t3.micro"
}

variable "ami_id" {
  description = "Image of the WireGuard server: Debian 12 or newer. Null: the newest Debian 12."
  type        = string
  default     = null

  validation {
    condition     = var.ami_id == null || can(regex("^ami-[0-9a-f]{8,17}$", var.ami_id))
    error_message = "ami_id looks like ami-0123456789abcdef0."
  }
}

variable "tags" {
  description = "Tags of every resource, besides the provider's default tags."
  type        = map(string)
  default     = {}
}
