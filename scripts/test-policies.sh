#!/usr/bin/env bash
# Pairs of services that no service.toml declares must be refused.
set -euo pipefail
# shellcheck disable=SC2034 # _cloud.sh shows it
usage="\
usage: scripts/test-policies.sh [--target local|solid-cloud|aws] [--dry-run]
Asks from inside the services' pods. Needs the component network-policy or a mesh."
# shellcheck source=scripts/_cloud.sh
source "$(dirname "${BASH_SOURCE[0]}")/_cloud.sh"
cloud cloud test policies "$@"
