# Prepares a cluster that exists: namespaces, quota, secrets, a database, Argo CD, which applies the rest.
locals {
  manifests = "${path.module}/../../../k8s-manifests"
  # Argo CD applies the same files afterwards: one source for both.
  namespaces = {
    platform = yamldecode(file("${local.manifests}/overlays/solid-cloud/namespace.yaml")).metadata
    secrets  = yamldecode(file("${local.manifests}/platform/secrets-source/namespace.yaml")).metadata
  }
  quota = yamldecode(file("${local.manifests}/components/resource-quota/quota.yaml"))
}

resource "kubernetes_namespace_v1" "platform" {
  metadata {
    name        = var.namespace
    labels      = local.namespaces.platform.labels
    annotations = local.namespaces.platform.annotations
  }

  # Argo CD adds its own.
  lifecycle {
    ignore_changes = [metadata[0].labels, metadata[0].annotations]
  }
}

resource "kubernetes_namespace_v1" "secrets" {
  metadata {
    name        = local.namespaces.secrets.name
    labels      = local.namespaces.secrets.labels
    annotations = local.namespaces.secrets.annotations
  }

  lifecycle {
    ignore_changes = [metadata[0].labels, metadata[0].annotations]
  }
}

resource "kubernetes_resource_quota_v1" "platform" {
  metadata {
    name      = local.quota.metadata.name
    namespace = kubernetes_namespace_v1.platform.metadata[0].name
  }

  spec {
    hard = local.quota.spec.hard
  }

  lifecycle {
    ignore_changes = [metadata[0].labels, metadata[0].annotations]
  }
}
