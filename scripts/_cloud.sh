# Sourced by the scripts of this folder: checks options, sets up, runs `titanium cloud ...`.
# A script sets `usage` first, and calls `cloud` with its own part of the command line.
# shellcheck shell=bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# --help says what the script is for, and answers before anything is set up.
for argument in "$@"; do
    case $argument in
        -h | --help)
            printf '%s\n' "${usage:?}"
            exit 0
            ;;
    esac
done

cloud() {
    if ! command -v python3 > /dev/null; then
        echo "error: python3 was not found" >&2
        echo "next:  install Python 3.11 or newer" >&2
        exit 7
    fi
    # Says nothing and takes milliseconds when everything is set up already. Tests leave it out:
    # the environment that they run in must not change under them.
    [ -n "${TITANIUM_SKIP_SETUP:-}" ] || python3 scripts/bootstrap.py >&2
    exec .venv/bin/titanium "$@"
}
