#!/usr/bin/env bash
# Brings up the mesh demonstration: Linkerd, Prometheus, Grafana and Bookinfo.
set -euo pipefail
# shellcheck disable=SC2034 # _cloud.sh shows it
usage="\
usage: scripts/deploy-observability-stack.sh [--context NAME] [--address HOST] [--timeout SECONDS]
                                             [--dry-run]
For a self-managed cluster without load balancer and volumes: Bookinfo on port 30080 of every node,
Grafana on port 30300. Can be run again: what is there is kept. --dry-run prints every step."
# shellcheck source=scripts/_cloud.sh
source "$(dirname "${BASH_SOURCE[0]}")/_cloud.sh"
cloud cloud demo "$@"
