#!/usr/bin/env bash
# Asks the public contract from outside.
set -euo pipefail
# shellcheck disable=SC2034 # _cloud.sh shows it
usage="\
usage: scripts/test-smoke.sh [URL] [--read-only] [--target local|solid-cloud|aws]
Without URL: the gateway's node port of the cluster in use."
# shellcheck source=scripts/_cloud.sh
source "$(dirname "${BASH_SOURCE[0]}")/_cloud.sh"
cloud cloud check "$@"
