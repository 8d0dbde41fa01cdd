#!/usr/bin/env bash
# Restores a backup into empty databases.
set -euo pipefail
# shellcheck disable=SC2034 # _cloud.sh shows it
usage="\
usage: scripts/restore.sh FOLDER [--database NAME] [--force] [--target ...] [--dry-run]
Refused when a database holds rows, unless --force is given. Services are stopped meanwhile."
# shellcheck source=scripts/_cloud.sh
source "$(dirname "${BASH_SOURCE[0]}")/_cloud.sh"
cloud cloud restore "$@"
