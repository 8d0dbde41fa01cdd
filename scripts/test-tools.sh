#!/usr/bin/env bash
# Programs that only tests need and that no Python package brings. Never fails: a test whose
# program is missing is skipped and says so.
set -euo pipefail
cd "$(dirname "$0")/.."

# A browser for the pages, and letters for Korean in their pictures.
packages=()
command -v chromium > /dev/null || packages+=(chromium)
fc-list :lang=ko 2> /dev/null | grep -q . || packages+=(fonts-noto-cjk)
# Images are built, and run, on a base that the test makes of Debian packages.
command -v buildah docker > /dev/null || packages+=(buildah)
command -v mmdebstrap > /dev/null || packages+=(mmdebstrap)
if [ "${#packages[@]}" -gt 0 ]; then
    if [ "$(id -u)" != 0 ]; then
        echo "not root: ${packages[*]} not installed; tests that need them are skipped"
        echo "(to have them: sudo apt-get install ${packages[*]})"
    elif ! command -v apt-get > /dev/null; then
        echo "no apt-get: install ${packages[*]} yourself; tests that need them are skipped"
    else
        echo "installing ${packages[*]}"
        export DEBIAN_FRONTEND=noninteractive
        log=$(mktemp)
        { apt-get -qq update && apt-get -qq install -y --no-install-recommends "${packages[@]}"; } \
            > "$log" 2>&1 || { tail -3 "$log"; echo "not installed"; }
        rm -f "$log"
    fi
fi

# Envoys watch files; several platforms at once need more watchers than Debian gives a user
# (scripts/test.sh looks for the same number).
watchers=/proc/sys/fs/inotify/max_user_instances
if [ -r "$watchers" ] && [ "$(< "$watchers")" -lt 512 ]; then
    if [ -w "$watchers" ] && echo 1024 2> /dev/null > "$watchers"; then
        echo "fs.inotify.max_user_instances is 1024 until the next start of the machine"
    else
        echo "fs.inotify.max_user_instances is $(< "$watchers"): platforms are tested one at a time"
    fi
fi

# Checkov and the emulator of AWS have packages of their own.
.venv/bin/python scripts/bootstrap.py --only checkov || echo "tests with checkov are skipped"
.venv/bin/python scripts/bootstrap.py --only moto || echo "tests with an emulator of AWS are skipped"

# Prometheus and Alertmanager with promtool and amtool: unpacked, not installed.
.venv/bin/titanium tools fetch || echo "tests that need Prometheus are skipped"
exit 0
