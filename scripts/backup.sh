#!/usr/bin/env bash
# Dumps every database of the cluster in use.
set -euo pipefail
# shellcheck disable=SC2034 # _cloud.sh shows it
usage="\
usage: scripts/backup.sh [--to FOLDER] [--target local|solid-cloud|aws] [--dry-run]
Writes FOLDER/titanium-<time> (default folder: backups) with checksums, readable by you alone."
# shellcheck source=scripts/_cloud.sh
source "$(dirname "${BASH_SOURCE[0]}")/_cloud.sh"
cloud cloud backup "$@"
