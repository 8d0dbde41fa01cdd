#!/usr/bin/env bash
# Dumps every database of the cluster in use.
set -euo pipefail
# shellcheck disable=SC2034 # _cloud.sh shows it
usage="\
usage: scripts/backup.sh [--to FOLDER] [--base] [--target local|solid-cloud|aws] [--dry-run]
Writes FOLDER/titanium-<time> (default folder: backups) with checksums, readable by you alone.
With --base CloudNativePG makes a base backup into its bucket instead."
# shellcheck source=scripts/_cloud.sh
source "$(dirname "${BASH_SOURCE[0]}")/_cloud.sh"
cloud cloud backup "$@"
