#!/usr/bin/env bash
# Deploys overlays/local and waits until everything is ready.
set -euo pipefail
# shellcheck disable=SC2034 # _cloud.sh shows it
usage="\
usage: scripts/deploy-local.sh [--timeout SECONDS] [--dry-run]
Needs: scripts/switch-to-local.sh once, and images that the cluster can find (make images, then for
example: minikube image load titanium/blog:dev)."
# shellcheck source=scripts/_cloud.sh
source "$(dirname "${BASH_SOURCE[0]}")/_cloud.sh"
cloud cloud deploy local "$@"
