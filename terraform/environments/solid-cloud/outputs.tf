output "namespace" {
  description = "Where the platform runs."
  value       = kubernetes_namespace_v1.platform.metadata[0].name
}

output "secrets" {
  description = "Entries that were made; titanium-alerts, titanium-argocd and titanium-vsphere are yours to make."
  value       = sort(keys(local.secrets))
}

output "argocd_password_command" {
  description = "Prints the first password of Argo CD's user admin."
  value       = "kubectl get secret argocd-initial-admin-secret --namespace argocd --output jsonpath='{.data.password}' | base64 -d"
}
