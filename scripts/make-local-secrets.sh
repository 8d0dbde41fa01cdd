#!/usr/bin/env bash
# Generates the secrets of k8s-manifests/overlays/local; existing ones are kept.
set -euo pipefail
cd "$(dirname "$0")/.."
python3 scripts/bootstrap.py
exec .venv/bin/titanium cloud secrets "$@"
