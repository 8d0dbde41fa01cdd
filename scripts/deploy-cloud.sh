#!/usr/bin/env bash
# Deploys overlays/solid-cloud and waits until everything is ready.
set -euo pipefail
# shellcheck disable=SC2034 # _cloud.sh shows it
usage="\
usage: scripts/deploy-cloud.sh [--timeout SECONDS] [--dry-run]
Needs: scripts/switch-to-cloud.sh once. Where Argo CD is installed it does the same by itself after
every push to main; this is for the first time and for clusters without it."
# shellcheck source=scripts/_cloud.sh
source "$(dirname "${BASH_SOURCE[0]}")/_cloud.sh"
cloud cloud deploy solid-cloud "$@"
