#!/usr/bin/env bash
# Prints the commit up to which main was deployed; nothing when it never was. The commit that sets
# image tags names it in its last line: Deployed-From: <commit>.
set -euo pipefail
if [ "${1:-}" = --help ]; then
    echo "usage: scripts/last-deployed.sh    prints a commit, or nothing"
    exit 0
fi
cd "$(dirname "$0")/.."
git log --max-count=1 --grep='^Deployed-From: [0-9a-f]\{40\}$' \
    --format='%(trailers:key=Deployed-From,valueonly,separator=%x20)' HEAD
