"""What is measured of any page: accessibility, structure, weight, movement, width."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
TRANSFERS = """
() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .map(({ name, transferSize, initiatorType }) => [name, transferSize, initiatorType])
"""


@cache
def script(name: str) -> str:
    """The function in a `.js` file of this folder."""
    return Path(__file__).with_name(f"{name}.js").read_text("utf-8")


@cache
def _axe() -> str:
    return (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")


def repaint(page: Any) -> None:
    """Wait until what was changed is drawn."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")


def violations(page: Any, *rules: str) -> list[str]:
    """What axe finds wrong, one line a rule with the first places; `rules` limit it to these."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_axe())
    chosen = {"type": "rule", "values": list(rules)} if rules else {"type": "tag", "values": RULES}
    result = page.evaluate(
        "(runOnly) => axe.run(document, { runOnly, resultTypes: ['violations'] })", chosen
    )
    return [
        f"{one['id']}: {one['help']}: "
        + "; ".join(f"{node['html'][:120]} ({_data(node)})" for node in one["nodes"][:3])
        for one in result["violations"]
    ]


def _data(node: Any) -> str:
    data = [check.get("data") for check in (*node["any"], *node["all"], *node["none"])]
    return str([one for one in data if one])[:200]


def structure(page: Any) -> list[str]:
    """What is wrong with headings, landmarks, labels, ids, or breaks a strict policy."""
    found: list[str] = page.evaluate(script("structure"))
    return found


def shifts(page: Any) -> list[Any]:
    """Movements of the page since it was opened that nobody asked for: [how far, what]."""
    repaint(page)
    found: list[Any] = page.evaluate("window.__shifted")
    return found


def transfers(page: Any) -> dict[str, int]:
    """Address -> bytes over the wire, headers included, of the page and all that it loaded."""
    return {name: size for name, size, _ in page.evaluate(TRANSFERS)}


def overflow(page: Any) -> int:
    """Pixels by which the page is wider than its window."""
    found: int = page.evaluate(OVERFLOW)
    return found
