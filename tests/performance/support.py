"""What the tests of both scripts need."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
K6_SCRIPT = FOLDER / "k6.js"


def k6_plan() -> dict[str, Any]:
    """The constant PLAN of k6.js, which is JSON between its name and its semicolon."""
    found = re.search(
        r"^const PLAN = (\{.*?^\});$", K6_SCRIPT.read_text(), re.MULTILINE | re.DOTALL
    )
    assert found, "k6.js has no PLAN"
    plan: dict[str, Any] = json.loads(found.group(1))
    return plan
