#!/usr/bin/env bash
# Sets image tags in the overlays, commits that and pushes it to main. For the workflows.
#   SERVICES='["blog"]' GITHUB_SHA=... commit-image-tags.sh      what was built for this commit
#   commit-image-tags.sh --rollback blog main-...                an image from before
# --dry-run shows the change and commits nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
dry_run='' rollback=''
case "${1:-}" in
    --help) sed -n '2,5s/^# //p' "$0"; exit 0 ;;
    --dry-run) dry_run=1 ;;
    --rollback) rollback=1 ;;
esac

# [skip ci] besides what prevents a loop anyhow: the workflows' paths-ignore and their token.
if [ -n "$rollback" ]; then
    tags=("${2:?which service}=${3:?which tag}")
    message="Roll $2 back to $3

[skip ci]"
else
    sha=${GITHUB_SHA:?the commit that was built}
    mapfile -t services < <(python3 -c 'import json, os; print(*json.loads(os.environ["SERVICES"]), sep="\n")')
    tags=("${services[@]/%/=main-$sha}")
    message="Deploy ${services[*]} of ${sha:0:12}

[skip ci]

Deployed-From: $sha"
fi
if [ -n "$dry_run" ]; then
    exec python3 scripts/set-image-tags.py --dry-run "${tags[@]}"
fi

[ -z "${GITHUB_ACTIONS:-}" ] || gh auth setup-git
git config user.name "github-actions[bot]"
git config user.email "41898282+github-actions[bot]@users.noreply.github.com"
for attempt in 1 2 3 4 5; do
    python3 scripts/set-image-tags.py "${tags[@]}"
    if git diff --quiet -- k8s-manifests/overlays; then
        echo "nothing to change"
        exit 0
    fi
    git commit --quiet --message "$message" -- k8s-manifests/overlays
    if git push --quiet origin HEAD:main; then
        echo "pushed: ${tags[*]}"
        exit 0
    fi
    echo "attempt $attempt: main has moved on"
    git fetch --quiet origin main
    git reset --quiet --hard origin/main
    sleep "$attempt"
done
echo "error: main could not be pushed to" >&2
echo "next:  do the rules of the branch let this workflow push? See docs/how-to/deliver.md" >&2
exit 1
