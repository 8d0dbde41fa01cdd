# cnpg needs nothing here: Argo CD installs the operator and the overlay has the cluster. Without Argo CD
# the operator comes from its chart, in the version that Argo CD would install.
locals {
  cnpg = yamldecode(file("${path.module}/../../../argocd/applications/cloudnative-pg.yaml")).spec.sources[0]
}

resource "helm_release" "cnpg" {
  count = var.postgres == "cnpg" && !var.argocd ? 1 : 0

  name             = "cloudnative-pg"
  namespace        = "cnpg-system"
  create_namespace = true
  repository       = local.cnpg.repoURL
  chart            = local.cnpg.chart
  version          = local.cnpg.targetRevision
  values           = [file("${local.manifests}/platform/cloudnative-pg/values.yaml")]
}

# One instance on one volume: to try things out. Its loss is a restore.
resource "kubernetes_secret_v1" "postgres" {
  count = var.postgres == "statefulset" ? 1 : 0

  metadata {
    name      = "postgres-superuser"
    namespace = kubernetes_namespace_v1.platform.metadata[0].name
  }

  data_wo          = { password = ephemeral.random_password.this["titanium-postgres password"].result }
  data_wo_revision = var.secrets_version
}

resource "kubernetes_service_v1" "postgres" {
  count = var.postgres == "statefulset" ? 1 : 0

  metadata {
    name      = "postgres"
    namespace = kubernetes_namespace_v1.platform.metadata[0].name
  }

  spec {
    cluster_ip = "None"
    selector   = { "app.kubernetes.io/name" = "postgres" }

    port {
      name = "tcp-postgres"
      port = 5432
    }
  }
}

resource "kubernetes_stateful_set_v1" "postgres" {
  count = var.postgres == "statefulset" ? 1 : 0

  metadata {
    name      = "postgres"
    namespace = kubernetes_namespace_v1.platform.metadata[0].name
    labels    = { "app.kubernetes.io/name" = "postgres" }
  }

  spec {
    service_name = kubernetes_service_v1.postgres[0].metadata[0].name
    replicas     = 1

    selector {
      match_labels = { "app.kubernetes.io/name" = "postgres" }
    }

    template {
      metadata {
        labels = { "app.kubernetes.io/name" = "postgres" }
      }

      spec {
        automount_service_account_token = false

        security_context {
          run_as_non_root = true
          run_as_user     = 999 # postgres in the image
          run_as_group    = 999
          fs_group        = 999

          seccomp_profile {
            type = "RuntimeDefault"
          }
        }

        container {
          name  = "postgres"
          image = "docker.io/library/postgres:17"

          port {
            name           = "tcp-postgres"
            container_port = 5432
          }

          env {
            name  = "PGDATA"
            value = "/var/lib/postgresql/data/pgdata"
          }

          env {
            name  = "POSTGRES_PASSWORD_FILE"
            value = "/run/postgres-superuser/password"
          }

          resources {
            requests = { cpu = "250m", memory = "512Mi" }
            limits   = { cpu = "2", memory = "1Gi" }
          }

          readiness_probe {
            period_seconds = 5

            exec {
              command = ["pg_isready", "--username", "postgres"]
            }
          }

          security_context {
            allow_privilege_escalation = false
            read_only_root_filesystem  = true

            capabilities {
              drop = ["ALL"]
            }
          }

          volume_mount {
            name       = "data"
            mount_path = "/var/lib/postgresql/data"
          }

          volume_mount {
            name       = "run"
            mount_path = "/var/run/postgresql"
          }

          volume_mount {
            name       = "password"
            mount_path = "/run/postgres-superuser"
            read_only  = true
          }
        }

        volume {
          name = "run"

          empty_dir {
            size_limit = "8Mi"
          }
        }

        volume {
          name = "password"

          secret {
            secret_name  = kubernetes_secret_v1.postgres[0].metadata[0].name
            default_mode = "0440"
          }
        }
      }
    }

    volume_claim_template {
      metadata {
        name = "data"
      }

      spec {
        access_modes = ["ReadWriteOnce"]

        resources {
          requests = { storage = "${var.postgres_gib}Gi" }
        }
      }
    }
  }
}
