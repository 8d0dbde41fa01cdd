#!/usr/bin/env bash
# Visitors for a platform in a cluster, and a judgement on how it did.
set -euo pipefail
# shellcheck disable=SC2034 # _cloud.sh shows it
usage="\
usage: scripts/test-load.sh URL [--dry-run] [options of titanium load]
For example: scripts/test-load.sh http://192.0.2.10:30080 --scenario browse --duration 1m
The edge of overlays/solid-cloud allows an address 100 requests a minute: raise that first."
# shellcheck source=scripts/_cloud.sh
source "$(dirname "${BASH_SOURCE[0]}")/_cloud.sh"
if [ "$#" -eq 0 ] || [[ $1 != http://* && $1 != https://* ]]; then
    echo "error: the first argument must be the platform's address" >&2
    echo "next:  scripts/test-load.sh http://192.0.2.10:30080" >&2
    exit 2
fi
url=$1
shift
for argument in "$@"; do
    if [ "$argument" = --dry-run ]; then
        echo "titanium load --url $url $*"
        exit 0
    fi
done
cloud load --url "$url" "$@"
