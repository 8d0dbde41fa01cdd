#!/usr/bin/env bash
# Chooses the cluster on this machine (Minikube, kind, k3s).
set -euo pipefail
# shellcheck disable=SC2034 # _cloud.sh shows it
usage="\
usage: scripts/switch-to-local.sh [--context NAME] [--dry-run]
Takes the current context of your kubeconfig when it is plainly a local cluster, else NAME. Your own
kubeconfig is not changed."
# shellcheck source=scripts/_cloud.sh
source "$(dirname "${BASH_SOURCE[0]}")/_cloud.sh"
cloud cloud use local "$@"
