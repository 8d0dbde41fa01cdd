"""Names of metrics in a PromQL expression: to find out whether each of them exists."""

from __future__ import annotations

import re

# Texts, label matchers, lists of labels, ranges and offsets hold no names of metrics.
_NOT_NAMES = re.compile(
    r'"(?:[^"\\]|\\.)*"|\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)|\[[^\]]*\]'
)
_MATCHERS = re.compile(r"\{[^{}]*\}")
_NAME = re.compile(r"(?<![\w:.$])[A-Za-z_:][\w:]*(?!\s*\()(?![\w:])")
_WORDS = frozenset({"and", "or", "unless", "bool", "offset", "inf", "nan", "sum", "min", "max"})

# Prometheus makes these itself, and only while there is an alert.
SYNTHETIC = frozenset({"ALERTS", "ALERTS_FOR_STATE"})


def metric_names(expr: str) -> frozenset[str]:
    """`sum by (a) (rate(x_total{b="c"}[1m]))` has `x_total`; variables count as values."""
    bare = _MATCHERS.sub("", _NOT_NAMES.sub("", expr))
    return frozenset(
        name for name in _NAME.findall(bare) if name.lower() not in _WORDS and "$" not in name
    )
