variable "region" {
  description = "Region of the secret and the parameters."
  type        = string
}

variable "vpc_cidr" {
  description = "What laptops may reach."
  type        = string
}

variable "wireguard_cidr" {
  description = "Network of the laptops; the server has its first address."
  type        = string
}

variable "wireguard_port" {
  description = "UDP port that the server listens on."
  type        = number
}

variable "peers" {
  description = "Who may connect; vpn/variables.tf says what is valid."
  type        = list(object({ name = string, public_key = string, address = string }))
}

variable "private_key_secret" {
  description = "ARN of the secret that holds the server's private key."
  type        = string
}

variable "public_key_parameter" {
  description = "Name of the parameter that the server writes its public key to."
  type        = string
}

variable "peers_path" {
  description = "Path of the parameters that hold the peers."
  type        = string
}
