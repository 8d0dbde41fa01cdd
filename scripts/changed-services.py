#!/usr/bin/env python3
"""Prints which images must be built again, as a JSON list of services.

  scripts/changed-services.py --base COMMIT [--head COMMIT]    what differs between two commits
  scripts/changed-services.py --files PATH...                  what these files belong to
  scripts/changed-services.py --all

A base that git does not have (empty, a new branch's zeros, a commit that was rewritten) means all.
Standard library only: it runs before anything is installed.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GATEWAY = "gateway"

# What no image contains. Everything that neither these nor `affected` know builds all images:
# too many are only slow.
_ELSEWHERE = re.compile(
    r"(docs|tests|monitoring|k8s-manifests|argocd|\.ci)/"
    r"|cli/"
    r"|libs/[^/]+/tests/"
    r"|services/[^/]+/tests/"
    r"|requirements/([^/]+\.in|(checkov|dev|local)\.txt)$"
    r"|scripts/(?!build-images\.sh|changed-services\.py)"
    r"|\.github/(?!actions/build-image/)"
    r"|[^/]+\.(md|py|yaml|yml|toml|example)$"
    r"|(Makefile|LICENSE|\.gitignore|\.trivyignore\.yaml)$"
)
# What the gateway's bootstrap is rendered from, besides the services' declarations.
_EDGE = re.compile(
    r"mesh/policy\.toml$|cli/src/titanium/(mesh|reference)/|cli/src/titanium/catalog\.py$"
)


def services(root: Path = ROOT) -> list[str]:
    """Every service with an image, the gateway included."""
    return sorted(path.parent.name for path in root.glob("services/*/Dockerfile"))


def affected(path: str, known: Iterable[str]) -> set[str]:
    """The services whose images hold, or are made with, the file `path` of the checkout."""
    known = set(known)
    if _EDGE.match(path):
        return {GATEWAY} & known
    if _ELSEWHERE.match(path):
        return set()
    if found := re.match(r"services/([^/]+)/(.+)", path):
        name, rest = found.groups()
        return ({name} | ({GATEWAY} if rest == "service.toml" else set())) & known
    if found := re.match(r"requirements/([^/]+)\.txt$", path):
        return {found[1]} & known
    if path.startswith("libs/"):
        return known - {GATEWAY}
    return known


def changed(paths: Iterable[str], known: Iterable[str]) -> list[str]:
    """All services that any of `paths` affects, in order."""
    known = set(known)
    return sorted(set().union(*(affected(path, known) for path in paths)))


def files_between(base: str, head: str, root: Path = ROOT) -> list[str] | None:
    """Paths that differ, old and new name of a moved file; None when git does not have both."""
    if not re.fullmatch(r"(?!-)[\w./~^@{}-]+", base) or not base.strip("0"):
        return None
    command = ["git", "diff", "--name-only", "--no-renames", "-z", base, head, "--"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    return [name for name in done.stdout.split("\0") if name] if done.returncode == 0 else None


def main(arguments: list[str] | None = None) -> None:
    """Command line; see the text above."""
    parser = argparse.ArgumentParser(description="Which images must be built again, as JSON.")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--base", metavar="COMMIT", help="compare with this commit")
    what.add_argument("--files", metavar="PATH", nargs="*", help="paths from the checkout's root")
    what.add_argument("--all", action="store_true", help="every service")
    parser.add_argument("--head", metavar="COMMIT", default="HEAD", help="default: HEAD")
    options = parser.parse_args(arguments)
    known = services()
    files = options.files
    if options.base is not None:
        files = files_between(options.base, options.head)
        if files is None:
            print(f"no commit {options.base!r} to compare with: all images", file=sys.stderr)
    if options.all or files is None:
        print(json.dumps(known))
    else:
        print(json.dumps(changed(files, known)))


if __name__ == "__main__":
    main()
