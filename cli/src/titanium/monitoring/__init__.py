"""Generated parts of `monitoring/`; the other rules are written by hand."""

from __future__ import annotations

from pathlib import Path

from titanium.catalog import Catalog
from titanium.monitoring.slo import slo_rules

__all__ = ["generated"]


def generated(root: Path, catalog: Catalog) -> dict[Path, str]:
    """Every generated file of the checkout at `root`: path -> content."""
    return {root / "monitoring" / "rules" / "slo.yaml": slo_rules(catalog)}
