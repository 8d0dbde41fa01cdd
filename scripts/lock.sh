#!/usr/bin/env bash
# Recomputes the hash-pinned locks: one for development, one for one machine, one per image, checkov's.
# Hashes only: a lock names no index, so that any mirror serves.
set -eu -o pipefail
cd "$(dirname "$0")/.."
uv=.venv/bin/uv

compile() {
    local output=$1
    shift
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --no-annotate --no-header \
        "${own[@]}" "$@" --output-file "requirements/$output.txt"
    echo "requirements/$output.txt: $(grep -c '==' "requirements/$output.txt") packages"
}

own=(--no-emit-package titanium --no-emit-package titanium-kit)
services=()
for folder in services/*/pyproject.toml; do
    name=$(basename "$(dirname "$folder")")
    services+=("$name")
    own+=(--no-emit-package "titanium-$name")
done

inputs=$(mktemp -d)
trap 'rm -rf "$inputs"' EXIT
{
    echo "-e libs/kit"
    echo "-e cli"
    for name in "${services[@]}"; do echo "-e services/$name"; done
} > "$inputs/local.in"

# Development first: it constrains the others, so that all of them agree on versions.
compile dev requirements/dev.in "$inputs/local.in"
compile local "$inputs/local.in" --constraint requirements/dev.txt
for name in "${services[@]}"; do
    printf -- '-e libs/kit\n-e services/%s\n' "$name" > "$inputs/$name.in"
    compile "$name" "$inputs/$name.in" --constraint requirements/dev.txt
done

# The load generator's image holds Locust and the command line, nothing of the platform.
printf 'click\nrich\nlocust\n' > "$inputs/load.in"
compile load "$inputs/load.in" --constraint requirements/dev.txt

# On their own: what these ask for excludes versions that we have.
for tool in checkov moto; do compile "$tool" "requirements/$tool.in"; done
