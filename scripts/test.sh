#!/usr/bin/env bash
# Every check, in the order in which a mistake is cheapest to find. Says what was skipped, and why.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=.venv/bin
began=$SECONDS
# Where e2e tests lie: collecting all others takes half a minute each time.
platform=(cli/tests/commands tests/browser tests/contract tests/e2e tests/performance tests/security)
pytest=("$bin/python" -m pytest -q --cov --cov-report=)

step() { printf '\n== %s (after %s s)\n' "$1" "$((SECONDS - began))"; }

step "programs for tests"
scripts/test-tools.sh

step "style"
make --no-print-directory lint
step "types"
make --no-print-directory types
step "generated files are current"
"$bin/titanium" docs --check

rm -f .coverage .coverage.*
step "unit and integration tests"
"${pytest[@]}" -n 2 --dist loadfile -m "not e2e and not cloud"
step "the whole platform, on free ports, two at a time"
"${pytest[@]}" --cov-append -n 2 --dist loadfile -m "e2e and not alone" "${platform[@]}"
step "the whole platform, measured: one at a time"
"${pytest[@]}" --cov-append -m "e2e and alone" "${platform[@]}"
step "coverage of lines and branches"
"$bin/coverage" report --skip-covered --sort=cover | tail -40
step "done"
