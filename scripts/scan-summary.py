#!/usr/bin/env python3
"""Writes a Markdown table of Trivy's JSON reports (scan-SERVICE-ARCH.json) in a folder.

scripts/scan-summary.py FOLDER
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

SHOWN = 50
HEADING = "### Images"


def rows(path: Path) -> list[tuple[str, str, str, str, str]]:
    """(severity, id, package, installed, fixed) of every finding in a report."""
    report: dict[str, Any] = json.loads(path.read_text("utf-8"))
    found = []
    for result in report.get("Results") or []:
        for one in result.get("Vulnerabilities") or []:
            fixed = one.get("FixedVersion") or "none yet"
            name, version = one["PkgName"], one["InstalledVersion"]
            found.append((one["Severity"], one["VulnerabilityID"], name, version, fixed))
        secrets = result.get("Secrets") or []
        found += [
            (one["Severity"], one["RuleID"], result["Target"], "secret", "remove it")
            for one in secrets
        ]
    return sorted(found)


def cell(text: str) -> str:
    """Text of others in a table: neither markup nor a line of its own."""
    return "".join(c for c in text if c.isalnum() or c in " .,:+~_/@-")[:80]


def summary(folder: Path) -> str:
    reports = sorted(folder.glob("scan-*.json"))
    if not reports:
        return f"{HEADING}\n\nNo image was built: nothing that goes into one has changed.\n"
    lines = [HEADING, "", "| image | HIGH | CRITICAL |", "|---|---|---|"]
    findings = []
    for path in reports:
        image = cell(path.stem.removeprefix("scan-"))
        found = rows(path)
        high = sum(row[0] == "HIGH" for row in found)
        critical = sum(row[0] == "CRITICAL" for row in found)
        lines.append(f"| {image} | {high} | {critical} |")
        findings += [(image, *row) for row in found]
    if findings:
        lines += ["", "| image | severity | finding | package | installed | fixed in |"]
        lines += ["|---|---|---|---|---|---|"]
        lines += ["| " + " | ".join(map(cell, row)) + " |" for row in findings[:SHOWN]]
        if len(findings) > SHOWN:
            lines += ["", f"... and {len(findings) - SHOWN} more: see code scanning."]
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] in ("-h", "--help"):
        print(__doc__)
        return 0 if arguments[:1] in (["-h"], ["--help"]) else 2
    folder = Path(arguments[0])
    try:
        sys.stdout.write(summary(folder))
    except (OSError, ValueError, KeyError) as error:
        print(f"error: {folder} holds a report that cannot be read: {error!r}", file=sys.stderr)
        print("next:  see what Trivy said in the job that wrote it", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
