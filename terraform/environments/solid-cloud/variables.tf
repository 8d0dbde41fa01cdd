variable "kubeconfig" {
  description = "Kubeconfig of an administrator of the cluster."
  type        = string
  default     = "~/.kube/config"
}

variable "context" {
  description = "Its context; null takes the current one."
  type        = string
  default     = null
}

variable "namespace" {
  description = "Where the platform runs; the overlay solid-cloud has it too."
  type        = string
  default     = "titanium-prod"

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.namespace))
    error_message = "namespace must be a name of Kubernetes such as titanium-prod; it is ${var.namespace}."
  }
}

variable "postgres" {
  description = "cnpg (three instances by CloudNativePG, as the overlay has it) or statefulset (one, to try things out)."
  type        = string
  default     = "cnpg"

  validation {
    condition     = contains(["cnpg", "statefulset"], var.postgres)
    error_message = "postgres must be cnpg or statefulset; it is ${var.postgres}."
  }
}

variable "postgres_gib" {
  description = "Volume of the StatefulSet, GiB."
  type        = number
  default     = 20
}

variable "argocd" {
  description = "Whether Argo CD is installed and told of the repository; it then installs the rest."
  type        = bool
  default     = true
}

variable "repository" {
  description = "Your fork, as argocd/settings/settings.yaml names it."
  type        = string

  validation {
    condition     = can(regex("^(https://|git@)", var.repository))
    error_message = "repository must be a URL of Git (https://... or git@...); it is ${var.repository}."
  }
}

variable "revision" {
  description = "Branch that is applied."
  type        = string
  default     = "main"
}

variable "backup_access_key" {
  description = "Key of the bucket for backups: { id, secret }. By TF_VAR_backup_access_key, never by a file in Git."
  type        = object({ id = string, secret = string })
  ephemeral   = true
  default     = { id = "unset", secret = "unset" }
}

variable "secrets_version" {
  description = "Raise it to write new passwords into every secret."
  type        = number
  default     = 1
}
