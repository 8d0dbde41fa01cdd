"""An estimate as table, JSON, Markdown, HTML or SVG: `FORMATS[name](report)` is the text."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from titanium.cost.show import chart, infracost, markdown, page, table
from titanium.cost.show.report import Report

FORMATS: Mapping[str, Callable[[Report], str]] = {
    "table": table.render,
    "json": infracost.render,
    "markdown": markdown.render,
    "html": page.render,
    "svg": chart.render,
}
