"""Small pieces that every page uses: numbers for people, badges, live HTML, chart options.

Text that comes from anywhere but the source code goes through `esc` before it is HTML.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any

from nicegui import ui
from nicegui.element import Element
from nicegui.events import GenericEventArguments

from titanium.errors import TitaniumError

STATIC = Path(__file__).parent / "static"
BRAND = '<a class="brand" href="/"><span class="mark" aria-hidden="true"></span>Titanium</a>'
STATES = {
    "ready": "good",
    "healthy": "good",
    "ok": "good",
    "resolved": "good",
    "starting": "calm",
    "info": "calm",
    "stopped": "idle",
    "stopping": "idle",
    "degraded": "warn",
    "pending": "warn",
    "warning": "warn",
}
# Readable on both backgrounds; the order in which charts use them.
COLORS = ("#3b82f6", "#0ea5a0", "#d97706", "#a855f7", "#e11d48", "#65a30d", "#64748b", "#db2777")
GOOD, WARN, BAD = "#16a34a", "#d97706", "#dc2626"
_GREY, _LINE = "#848d97", "rgba(132,141,151,0.18)"


def esc(text: object) -> str:
    """`text` as HTML, fit for an attribute too."""
    return escape(str(text), quote=True)


def duration(seconds: float | None) -> str:
    """A length of time in its two largest units: `850 ms`, `12.5 s`, `3 min 5 s`, `2 d 4 h`."""
    if seconds is None or not math.isfinite(seconds):
        return "–"
    if seconds < 0.9995:
        return f"{seconds * 1000:.3g} ms" if seconds < 0.01 else f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.3g} s"
    whole = round(seconds)
    for unit, name, part, small in ((86400, "d", 3600, "h"), (3600, "h", 60, "min")):
        if whole >= unit:
            rest = whole % unit // part
            return f"{whole // unit} {name} {rest} {small}" if rest else f"{whole // unit} {name}"
    return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"


def ago(moment: float, now: float | None = None) -> str:
    """How long ago an epoch second was: `just now`, `12 s ago`, `5 min ago`."""
    passed = max(0.0, (time.time() if now is None else now) - moment)
    if passed < 2:
        return "just now"
    if passed < 3600:
        passed = passed // 60 * 60 if passed >= 60 else passed // 1
    return f"{duration(passed)} ago"


def clock(moment: float) -> str:
    """An epoch second as local time of the day, `14:03:59`."""
    return time.strftime("%H:%M:%S", time.localtime(moment))


def size(count: float | None) -> str:
    """Bytes for people: `812 B`, `14.2 MB`; powers of 1000."""
    if count is None or not math.isfinite(count):
        return "–"
    for unit in ("B", "kB", "MB", "GB"):
        if abs(count) < 999.5:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def number(count: float | None) -> str:
    """Three significant digits: `0.42`, `12.5`, `1,240`."""
    if count is None or not math.isfinite(count):
        return "–"
    return f"{count:,.0f}" if abs(count) >= 99.95 else f"{count:.3g}"


def percent(ratio: float | None, digits: int = 1) -> str:
    """A ratio as per cent: `0.5 %`; `–` when it is unknown."""
    if ratio is None or not math.isfinite(ratio):
        return "–"
    shown = f"{ratio * 100:.{digits}f}"
    return f"{shown.rstrip('0').rstrip('.') if '.' in shown else shown} %"


def badge(state: str, text: str | None = None) -> str:
    """HTML: a state as a coloured dot with its word; unknown states are bad news."""
    return (
        f'<span class="badge {STATES.get(state, "bad")}">'
        f"{esc(text if text is not None else state)}</span>"
    )


def link(target: str, text: str, kind: str = "") -> str:
    """HTML: a link; `target` is a path of this console."""
    return f'<a href="{esc(target)}"{f" class={kind!r}" if kind else ""}>{esc(text)}</a>'


def table(
    headings: Iterable[str], rows: Iterable[Iterable[str]], empty: str = "Nothing.", kind: str = ""
) -> str:
    """HTML: a table of cells that are HTML already. A heading that begins with `>` is a number."""
    heads = list(headings)
    aligned = [head.startswith(">") for head in heads]
    body = "".join(
        "<tr>"
        + "".join(
            f"<td{' class=num' if right else ''}>{cell}</td>"
            for right, cell in zip(aligned, row, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    if not body:
        return f'<p class="quiet">{esc(empty)}</p>'
    top = "".join(
        f'<th scope="col"{" class=num" if right else ""}>{esc(head.removeprefix(">"))}</th>'
        for right, head in zip(aligned, heads, strict=True)
    )
    return (
        f'<div class="scroll"><table class="{esc(kind)}"><thead><tr>{top}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def problem(error: TitaniumError) -> str:
    """HTML: what is wrong and what to do about it."""
    return notice(error.message, error.hint, "warn")


def notice(text: str, hint: str = "", kind: str = "calm") -> str:
    """HTML: a line that explains; `kind` is calm, warn or bad."""
    more = f'<span class="hint">{esc(hint)}</span>' if hint else ""
    return f'<div class="notice {esc(kind)}" role="status"><strong>{esc(text)}</strong>{more}</div>'


def sparkline(points: list[tuple[float, float]], width: int = 96, height: int = 22) -> str:
    """HTML: a line without axes; a flat base line when there is nothing to draw."""
    values = [(moment, value) for moment, value in points if math.isfinite(value)]
    top = max((value for _, value in values), default=0.0)
    if len(values) < 2 or top <= 0:
        path = f"M0 {height - 1}H{width}"
    else:
        first, last = values[0][0], values[-1][0]
        path = "M" + "L".join(
            f"{(moment - first) / (last - first) * width:.1f} "
            f"{height - 1 - value / top * (height - 3):.1f}"
            for moment, value in values
        )
    return (
        f'<svg class="spark" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'aria-hidden="true"><path d="{path}"/></svg>'
    )


class Live(Element, component="static/live.js"):
    """A region of HTML that is patched in place: focus, selection and scroll position survive.

    `on_action(name, value)` hears of a click on (or Enter in) an element with `data-action`;
    `value` is its `data-value`. Setting equal HTML again costs nothing.
    """

    def __init__(self, html: str = "", on_action: Callable[[str, str], Any] | None = None) -> None:
        super().__init__()
        self._props["html"] = html
        if on_action is not None:

            def hear(event: GenericEventArguments) -> Any:
                name, chosen = event.args
                return on_action(str(name), str(chosen))

            self.on("action", hear)

    @property
    def html(self) -> str:
        return str(self._props["html"])

    def show(self, html: str) -> None:
        """Replace what is shown; nothing is sent when it is what is shown already."""
        if html != self._props["html"]:
            self._props["html"] = html
            self.update()


@contextmanager
def panel(title: str, aside: str = "", kind: str = "") -> Iterator[Element]:
    """A titled box; `aside` is HTML at the right of the title."""
    with ui.element("section").classes(f"panel {kind}") as box:
        if title:
            Live(f'<div class="head"><h2>{esc(title)}</h2><span class="aside">{aside}</span></div>')
        yield box


def chart_options(unit: Callable[[float], str] | str = "", **overrides: Any) -> dict[str, Any]:
    """ECharts options for lines over time, readable on light and dark; series are to be added.

    `unit` is one of `s`, `ratio`, `bytes`, `/s` or empty: how the axis and the tip write values.
    """
    formatter = f"value => consoleFormat(value, {unit!r})"
    return {
        "animation": False,
        "backgroundColor": "transparent",
        "color": list(COLORS),
        "textStyle": {"fontFamily": "inherit", "color": _GREY},
        "grid": {"left": 8, "right": 12, "top": 28, "bottom": 4, "containLabel": True},
        "legend": {
            "top": 0,
            "left": 0,
            "icon": "roundRect",
            "itemWidth": 10,
            "itemHeight": 3,
            "type": "scroll",
            "textStyle": {"color": _GREY, "fontSize": 11},
            "inactiveColor": "rgba(132,141,151,0.4)",
        },
        "tooltip": {
            "trigger": "axis",
            "confine": True,
            "transitionDuration": 0,
            "backgroundColor": "var(--panel)",
            "borderColor": "var(--line)",
            "textStyle": {"color": "var(--text)", "fontSize": 12},
            ":valueFormatter": formatter,
            "axisPointer": {"lineStyle": {"color": _GREY}},
        },
        "xAxis": {
            "type": "time",
            "axisLine": {"lineStyle": {"color": _LINE}},
            "axisTick": {"show": False},
            "axisLabel": {"color": _GREY, "fontSize": 11, "hideOverlap": True},
            "splitLine": {"show": False},
        },
        "yAxis": {
            "type": "value",
            "min": 0,
            "splitNumber": 3,
            "axisLabel": {"color": _GREY, "fontSize": 11, ":formatter": formatter},
            "splitLine": {"lineStyle": {"color": _LINE}},
        },
        "series": [],
        **overrides,
    }


def line(
    name: str, points: Iterable[tuple[float, float]], color: str = "", area: bool = False
) -> dict[str, Any]:
    """One ECharts line; `points` are (epoch seconds, value), what is not a number is a gap."""
    series: dict[str, Any] = {
        "type": "line",
        "name": name,
        "showSymbol": False,
        "lineStyle": {"width": 1.5},
        "emphasis": {"disabled": True},
        "data": [
            [round(moment * 1000), value if math.isfinite(value) else None]
            for moment, value in points
        ],
    }
    if color:
        series["itemStyle"] = {"color": color}
    if area:
        series["areaStyle"] = {"opacity": 0.12}
    return series


def static_version() -> str:
    """Changes when a file of the console's own changes, so that browsers may keep them."""
    digest = hashlib.sha256()
    for path in sorted(STATIC.iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
