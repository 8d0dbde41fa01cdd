#!/usr/bin/env python3
"""Sets image tags in the overlays that Argo CD applies. Needs Python only.

    scripts/set-image-tags.py blog=main-0123... user=main-0123...     set these, in every overlay
    scripts/set-image-tags.py --show                                  what is set, as JSON

A line is changed, never added: each overlay's kustomization.yaml lists every service under
`images:` with a `newTag:`. Every file is checked before the first is written. Comments stay.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OVERLAYS = ("solid-cloud", "aws")
# Of the image specification; `latest` would not say what runs.
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
NAME = re.compile(r"^(?P<indent>\s*)-\s+name:\s*(?P<name>\S+)\s*$")
NEW_TAG = re.compile(
    r"^(?P<head>\s+newTag:\s*)(?P<quote>[\"']?)(?P<tag>[^\s\"'#]+)(?P=quote)(?P<tail>\s*(?:#.*)?)$"
)
PREFIX = "titanium/"


class RefusedError(Exception):
    """What is wrong; nothing was written."""


def tag_lines(path: Path, lines: list[str]) -> dict[str, int]:
    """Service -> number of the line with its newTag."""
    found: dict[str, int] = {}
    inside, service = False, None
    for number, line in enumerate(lines):
        if re.match(r"^\S", line):
            inside, service = line.startswith("images:"), None
        if not inside:
            continue
        if match := NAME.match(line):
            name = match["name"].strip("\"'")
            service = name.removeprefix(PREFIX) if name.startswith(PREFIX) else None
        elif service and NEW_TAG.match(line):
            if service in found:
                raise RefusedError(f"{path}: {service} is listed twice")
            found[service] = number
    return found


def changed(path: Path, tags: dict[str, str]) -> str:
    """The file's text with the tags set."""
    text = path.read_text("utf-8")
    lines = text.split("\n")
    places = tag_lines(path, lines)
    for service, tag in tags.items():
        if service not in places:
            known = ", ".join(sorted(places)) or "none"
            raise RefusedError(
                f"{path}: images has no {PREFIX}{service} with a newTag (has: {known})"
            )
        number = places[service]
        # Quoted: a tag of digits alone would be read as a number.
        lines[number] = NEW_TAG.sub(
            lambda match: f'{match["head"]}"{tag}"{match["tail"]}',  # noqa: B023
            lines[number],
        )
    return "\n".join(lines)


def shown(path: Path) -> dict[str, str]:
    lines = path.read_text("utf-8").split("\n")
    places = tag_lines(path, lines)
    return {name: NEW_TAG.sub(r"\g<tag>", lines[number]) for name, number in places.items()}


def parse(assignments: list[str]) -> dict[str, str]:
    tags: dict[str, str] = {}
    for assignment in assignments:
        service, separator, tag = assignment.partition("=")
        if not separator or not re.fullmatch(r"[a-z][a-z0-9-]{1,30}", service):
            raise RefusedError(f"{assignment!r} is not SERVICE=TAG")
        if not TAG.fullmatch(tag):
            raise RefusedError(f"{tag!r} is not an image tag")
        if tag == "latest":
            raise RefusedError("latest would not say what runs; use main-<commit>")
        if tags.setdefault(service, tag) != tag:
            raise RefusedError(f"{service} is given twice")
    if not tags:
        raise RefusedError("no SERVICE=TAG was given")
    return tags


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], epilog="Example: set-image-tags.py blog=main-0123abc"
    )
    parser.add_argument("tags", nargs="*", metavar="SERVICE=TAG")
    parser.add_argument("--show", action="store_true", help="print what is set, as JSON")
    parser.add_argument("--dry-run", action="store_true", help="say what would change")
    parser.add_argument("--overlays", type=Path, default=ROOT / "k8s-manifests" / "overlays")
    options = parser.parse_args(arguments)
    files = [options.overlays / name / "kustomization.yaml" for name in OVERLAYS]
    try:
        if options.show:
            print(json.dumps({path.parent.name: shown(path) for path in files}, indent=2))
            return 0
        tags = parse(options.tags)
        texts = {path: changed(path, tags) for path in files}
        for path, text in texts.items():
            if path.read_text("utf-8") == text:
                print(f"{path.parent.name}: nothing to change")
                continue
            if not options.dry_run:
                path.write_text(text, "utf-8")
            verb = "would set" if options.dry_run else "set"
            print(f"{path.parent.name}: {verb} {', '.join(f'{s} to {t}' for s, t in tags.items())}")
    except RefusedError as error:
        print(f"error: {error}; nothing was written", file=sys.stderr)
        print("next:  compare with --show", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"error: cannot read or write {error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
