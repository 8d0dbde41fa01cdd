#!/usr/bin/env bash
# Deletes the database's leader while posts are written.
set -euo pipefail
# shellcheck disable=SC2034 # _cloud.sh shows it
usage="\
usage: scripts/test-failover.sh [URL] [--bound SECONDS] [--target local|solid-cloud|aws] [--dry-run]
Writing must go on within the bound (default 35 s), and no confirmed post may be lost."
# shellcheck source=scripts/_cloud.sh
source "$(dirname "${BASH_SOURCE[0]}")/_cloud.sh"
cloud cloud test failover "$@"
