#!/usr/bin/env bash
# Every check, in the order in which a mistake is cheapest to find. Says what was skipped, and why.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=.venv/bin
began=$SECONDS
# Where these tests lie: collecting all others takes half a minute each time.
platform=(tests/e2e tests/browser tests/contract cli/tests/commands tests/performance tests/security)
machines=(tests/terraform)
cloud=(tests/terraform cli/tests/cost cli/tests/schedule)
pytest=("$bin/python" -m pytest -q)
# File by file, in the order of the folders: the longest begin first, or one would be waited for.
files=(--dist loadfile --no-loadscope-reorder)
# Hundreds of processes start here: what one compiled the next does not compile again.
unset PYTHONDONTWRITEBYTECODE

step() { printf '\n== %s (after %s s)\n' "$1" "$((SECONDS - began))"; }

# Whatever happens, nothing goes on, and nothing stays in memory.
end() {
    if [ -n "${terraform:-}" ]; then
        kill -- "-$terraform" 2> /dev/null || true
        for _ in {1..50}; do
            kill -0 -- "-$terraform" 2> /dev/null || break
            sleep 0.2
        done
        kill -KILL -- "-$terraform" 2> /dev/null || true
    fi
    rm -rf "${memory:-}" "${terraform_log:-}" || true
}
trap end EXIT

# Hundreds of databases are made and dropped: in memory, where there is plenty of it and no limit
# of a container's.
disk=${TMPDIR:-/tmp}
available=$(awk '/^MemAvailable/ {print $2}' /proc/meminfo 2> /dev/null || true)
room=$(df --output=avail /dev/shm 2> /dev/null | tail -1 || true)
limit=$(cat /sys/fs/cgroup/memory.max 2> /dev/null || echo max)
if [ "${available:-0}" -ge $((12 * 2 ** 20)) ] && [ "${room:-0}" -ge $((6 * 2 ** 20)) ] &&
    [ "$limit" = max ] && ! grep -q ' /dev/shm .*noexec' /proc/mounts &&
    memory=$(mktemp -d /dev/shm/ti-XXXX); then
    chmod 1777 "$memory"
    export TMPDIR=$memory
fi

step "programs for tests"
scripts/test-tools.sh

# Terraform mostly waits for the emulator of AWS: beside everything that is not measured alone,
# with what nobody else wants of the processor, and on the disk: without a mirror every configuration
# unpacks a provider of its own. Its output and its exit status come below.
terraform_log=$(mktemp)
set -m # a process group of its own, so that all of it can be ended
TMPDIR=$disk nice -n 15 "$bin/python" -m pytest -q -p no:cacheprovider \
    -m "cloud and not machines" "${cloud[@]}" > "$terraform_log" 2>&1 < /dev/null &
terraform=$!
set +m

step "style"
make --no-print-directory lint
step "types"
make --no-print-directory types
step "generated files are current"
"$bin/titanium" docs --check

rm -f .coverage .coverage.*
step "unit and integration tests"
"${pytest[@]}" --cov --cov-report= -n 2 "${files[@]}" -m "not e2e and not cloud" tests cli services libs
step "coverage of lines and branches"
"$bin/coverage" report --skip-covered --sort=cover | tail -40
# What test-tools.sh could not raise (0: one after the other).
at_once=2
[ "$(cat /proc/sys/fs/inotify/max_user_instances 2> /dev/null || echo 1024)" -ge 512 ] || at_once=0
step "the whole platform, on free ports, two at a time"
"${pytest[@]}" -n "$at_once" "${files[@]}" -m "e2e and not alone" "${platform[@]}"
step "Terraform against an emulator of AWS, begun above"
failed=0
wait "$terraform" || failed=$?
terraform=""
cat "$terraform_log"
[ "$failed" = 0 ] || exit "$failed"
step "machines: Patroni, tunnels"
# What is measured writes to a disk, and has the memory to itself.
export TMPDIR=$disk
rm -rf "${memory:-}" || true
"${pytest[@]}" -n 2 "${files[@]}" -m "machines and not drill" "${machines[@]}"
step "the whole platform, measured: one at a time"
"${pytest[@]}" -m "e2e and alone" "${platform[@]}"
step "done"
