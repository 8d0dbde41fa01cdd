#!/usr/bin/env bash
# Chooses the cluster that .env.k8s describes.
set -euo pipefail
# shellcheck disable=SC2034 # _cloud.sh shows it
usage="\
usage: scripts/switch-to-cloud.sh [--env FILE] [--dry-run]
Reads API server, token and CA out of .env.k8s (see .env.k8s.example), checks them, and writes a
kubeconfig that you alone can read. The token is never shown."
# shellcheck source=scripts/_cloud.sh
source "$(dirname "${BASH_SOURCE[0]}")/_cloud.sh"
cloud cloud use solid-cloud "$@"
