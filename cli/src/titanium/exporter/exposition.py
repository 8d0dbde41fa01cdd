"""Prometheus' text format (version 0.0.4).

prometheus_client is not used: it cannot write counters without `_total` at their end, which
the names of postgres_exporter and node_exporter need, and it takes 5 MB of memory.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(slots=True)
class Family:
    """One metric: its name, kind, one line of help, and a value for each set of labels."""

    name: str
    kind: Literal["counter", "gauge"]
    help: str
    samples: list[tuple[dict[str, str], float]] = field(default_factory=list)

    def add(self, value: float, **labels: str) -> Family:
        self.samples.append((labels, value))
        return self


def gauge(name: str, help: str) -> Family:  # noqa: A002 - the format's own word
    return Family(name, "gauge", help)


def counter(name: str, help: str) -> Family:  # noqa: A002 - the format's own word
    return Family(name, "counter", help)


def render(families: Iterable[Family]) -> bytes:
    """The text of all families that have a sample."""
    lines: list[str] = []
    for family in families:
        if family.samples:
            lines.append(f"# HELP {family.name} {_escape(family.help)}")
            lines.append(f"# TYPE {family.name} {family.kind}")
            lines += [
                f"{family.name}{_labels(labels)} {_number(value)}"
                for labels, value in family.samples
            ]
    return "".join(f"{line}\n" for line in lines).encode()


def _labels(labels: dict[str, str]) -> str:
    if not labels:
        return ""
    pairs = (f'{name}="{_escape(value, quotes=True)}"' for name, value in labels.items())
    return "{" + ",".join(pairs) + "}"


def _escape(text: str, *, quotes: bool = False) -> str:
    escaped = text.replace("\\", r"\\").replace("\n", r"\n")
    return escaped.replace('"', r"\"") if quotes else escaped


def _number(value: float) -> str:
    """Whole numbers stay short; Prometheus reads Python's `nan` and `inf`, too."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))
