#!/usr/bin/env bash
# Every check, in the order in which a mistake is cheapest to find. Says what was skipped, and why.
set -eu -o pipefail
cd "$(dirname "$0")/.."
bin=.venv/bin
began=$SECONDS

step() { printf '\n== %s (%ss)\n' "$1" "$((SECONDS - began))"; }

step "lint"
make --no-print-directory lint
step "types"
make --no-print-directory types
step "generated files"
"$bin/titanium" docs --check

rm -f .coverage .coverage.*
step "unit and integration tests"
"$bin/coverage" run -m pytest -q -m "not e2e"
step "the whole platform on free ports"
"$bin/coverage" run -m pytest -q -m e2e
step "coverage"
"$bin/coverage" combine -q
"$bin/coverage" report | tail -40
step "done"
