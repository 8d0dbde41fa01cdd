"""Grafana dashboards: defined in Python, written as JSON, read again by the console."""

from __future__ import annotations

import json
from pathlib import Path

from titanium.dashboards.boards import boards

FOLDER = Path("monitoring") / "dashboards"


def generated(root: Path) -> dict[Path, str]:
    """Every dashboard file of the checkout at `root`: path -> content."""
    return {
        root / FOLDER / f"{board.uid.removeprefix('titanium-')}.json": (
            json.dumps(board.json(), indent=2, ensure_ascii=False) + "\n"
        )
        for board in boards()
    }
