"""Reads monitoring/ for the tests: rules, unit tests, and the metric names in an expression."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]
MONITORING = ROOT / "monitoring"
RULES = MONITORING / "rules"
TESTS = sorted((MONITORING / "tests").glob("*.yaml"))
RULE_FILES = sorted(RULES.glob("*.yaml"))
ENGINES = ("local", "istio")

_WORDS = frozenset({"and", "or", "unless", "offset", "bool", "by", "without", "on", "ignoring"})
# Strings and comments first: whatever is in them is no syntax.
_NO_NAMES = (
    r'"(?:[^"\\]|\\.)*"',
    r"#[^\n]*",
    r"\{[^}]*\}",
    r"\[[^\]]*\]",
    r"\boffset\s+\S+",
    r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)",
)


@dataclass(frozen=True)
class Rule:
    """One rule; `name` is what it records or the alert's name, `file` without `.yaml`."""

    file: str
    name: str
    alert: bool
    expression: str
    body: dict[str, Any]


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def rules(*files: str) -> Iterator[Rule]:
    """Rules of these files, or of all."""
    for path in RULE_FILES:
        if files and path.stem not in files:
            continue
        for group in load(path)["groups"]:
            for body in group["rules"]:
                alert = "alert" in body
                name = body["alert" if alert else "record"]
                yield Rule(path.stem, name, alert, str(body["expr"]), body)


def alerts() -> list[Rule]:
    return [rule for rule in rules() if rule.alert]


def recorded(*files: str) -> set[str]:
    return {rule.name for rule in rules(*files) if not rule.alert}


def common_files() -> list[str]:
    return [path.stem for path in RULE_FILES if path.stem not in ENGINES]


def metric_names(expression: str) -> set[str]:
    """Every metric that a PromQL expression selects by name."""
    for pattern in _NO_NAMES:
        expression = re.sub(pattern, " ", expression)
    found = re.findall(r"(?<![\w:.])([a-zA-Z_:][\w:]*)\b(?!\s*\()", expression)
    return {name for name in found if name.lower() not in _WORDS}
