# Argo CD and its root Application, as `kubectl apply -k argocd` would make them. The chart's own CRDs must
# be there before Applications can be: hence two releases.
locals {
  argocd   = "${path.module}/../../../argocd"
  settings = yamldecode(file("${local.argocd}/applications/argocd.yaml")).spec.sources[0]
  root     = yamldecode(file("${local.argocd}/root.yaml"))
  projects = { for name in ["application", "platform", "root"] : name => yamldecode(file("${local.argocd}/projects/${name}.yaml")) }
}

resource "helm_release" "argocd" {
  count = var.argocd ? 1 : 0

  name             = "argocd"
  namespace        = "argocd"
  create_namespace = true
  repository       = "https://argoproj.github.io/argo-helm"
  chart            = local.settings.chart
  version          = local.settings.targetRevision
  values           = [file("${local.manifests}/platform/argocd/values.yaml")]
  wait             = true

  # From then on it keeps itself (argocd/applications/argocd.yaml).
  lifecycle {
    ignore_changes = [version, values]
  }
}

resource "helm_release" "root" {
  count = var.argocd ? 1 : 0

  name       = "argocd-root"
  namespace  = helm_release.argocd[0].namespace
  repository = "https://argoproj.github.io/argo-helm"
  chart      = "argocd-apps"
  version    = "2.0.2"
  values = [yamlencode({
    projects = {
      for name, project in local.projects : project.metadata.name => merge(project.spec, {
        namespace  = "argocd"
        finalizers = lookup(project.metadata, "finalizers", [])
        # The first is the platform's own repository, the others are charts.
        sourceRepos = concat([var.repository], slice(project.spec.sourceRepos, 1, length(project.spec.sourceRepos)))
      })
    }
    applications = {
      (local.root.metadata.name) = merge(local.root.spec, {
        namespace  = "argocd"
        finalizers = local.root.metadata.finalizers
        source     = merge(local.root.spec.source, { repoURL = var.repository, targetRevision = var.revision })
      })
    }
  })]

  # The secrets first: what Argo CD applies waits for them.
  depends_on = [kubernetes_secret_v1.this]
}
