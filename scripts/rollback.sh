#!/usr/bin/env bash
# Takes services back: in the cluster, or (where Argo CD applies what Git says) in Git.
set -euo pipefail
# shellcheck disable=SC2034 # _cloud.sh shows it
usage="\
usage: scripts/rollback.sh [SERVICE] [--to REVISION] [--history] [--target ...] [--dry-run]
       scripts/rollback.sh --commit SERVICE TAG [--dry-run]
The first form undoes the last roll-out in the cluster. The second sets SERVICE's image tag
(main-<commit>) in the overlays and commits that: push it, and Argo CD rolls back."
# shellcheck source=scripts/_cloud.sh
source "$(dirname "${BASH_SOURCE[0]}")/_cloud.sh"
if [ "${1:-}" != --commit ]; then
    cloud cloud rollback "$@"
fi
if [ "$#" -lt 3 ]; then
    echo "error: --commit needs a service and a tag" >&2
    echo "next:  scripts/rollback.sh --commit blog main-0123abc... (git log k8s-manifests/overlays)" >&2
    exit 2
fi
service=$2 tag=$3
if [ "${4:-}" = --dry-run ]; then
    exec python3 scripts/set-image-tags.py --dry-run "$service=$tag"
fi
python3 scripts/set-image-tags.py "$service=$tag"
git commit --only --message "Roll $service back to $tag" -- k8s-manifests/overlays
echo "committed; push it to main to roll back: git push origin HEAD:main"
