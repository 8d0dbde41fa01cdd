"""The chart of a report: horizontal bars, each with its target marked, as an SVG document.

Colours follow the reader's light or dark setting.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, LEFT, RIGHT = 760, 150, 190
TOP, ROW, BAR = 44, 34, 18
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600 } .note { fill: #59636e }
.bar { fill: #0969da } .missed { fill: #bc4c00 } .reference { fill: #8c959f }
.track { fill: #8c959f; fill-opacity: .18 } .target { stroke: #1f2328; stroke-width: 2 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .note { fill: #9198a1 }
.bar { fill: #4493f8 } .missed { fill: #f0883e } .target { stroke: #e6edf3 }
}
"""


@dataclass(frozen=True, slots=True)
class Bar:
    """`share` and `target` are parts of the full width (1 is all of it); `text` stands behind.

    `look` is `bar`, `missed` or `reference`; without one, a target that is reached is good.
    """

    label: str
    share: float
    text: str
    target: float | None = None
    look: str = ""

    @property
    def style(self) -> str:
        if self.look:
            return self.look
        if self.target is None:
            return "reference"
        return "bar" if self.share >= self.target else "missed"


def draw(title: str, note: str, bars: Sequence[Bar]) -> str:
    """A well-formed SVG document with one bar under the other."""
    height = TOP + ROW * len(bars) + 34
    rows = [line for number, bar in enumerate(bars) for line in _row(bar, TOP + ROW * number)]
    summary = "; ".join(f"{bar.label}: {bar.text}" for bar in bars)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"',
            f'width="{WIDTH}" height="{height}" role="img" aria-labelledby="title summary">',
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="summary">{escape(summary)}</desc>',
            f"<style>{_STYLE}</style>",
            f'<text class="title" x="12" y="24">{escape(title)}</text>',
            *rows,
            f'<text class="note" x="12" y="{height - 12}">{escape(note)}</text>',
            "</svg>\n",
        ]
    )


def _row(bar: Bar, y: int) -> list[str]:
    full = WIDTH - LEFT - RIGHT
    width = full * min(1.0, max(0.0, bar.share))
    text_y = y + BAR - 4
    lines = [
        f'<text x="{LEFT - 10}" y="{text_y}" text-anchor="end">{escape(bar.label)}</text>',
        f'<rect class="track" x="{LEFT}" y="{y}" width="{full}" height="{BAR}" rx="3"/>',
        f'<rect class="{bar.style}" x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR}" rx="3"/>',
    ]
    if bar.target is not None:
        x = LEFT + full * min(1.0, bar.target)
        lines.append(
            f'<line class="target" x1="{x:.1f}" x2="{x:.1f}" y1="{y - 4}" y2="{y + BAR + 4}"/>'
        )
    lines.append(f'<text x="{LEFT + full + 10}" y="{text_y}">{escape(bar.text)}</text>')
    return lines
