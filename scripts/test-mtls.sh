#!/usr/bin/env bash
# A pod outside of the mesh must get no answer in plain HTTP.
set -euo pipefail
# shellcheck disable=SC2034 # _cloud.sh shows it
usage="\
usage: scripts/test-mtls.sh [--target solid-cloud|aws] [--dry-run]
Makes a pod in a namespace of its own, asks every service, deletes it. Needs a cluster with a mesh."
# shellcheck source=scripts/_cloud.sh
source "$(dirname "${BASH_SOURCE[0]}")/_cloud.sh"
cloud cloud test mtls "$@"
