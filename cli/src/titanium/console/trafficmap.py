"""Draws a graph of traffic as SVG, in columns: users, gateway, services, stores.

Laid out by hand rather than by force: a map whose boxes stay where they are can be read at a
glance, and two looks at it can be compared.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from titanium.console.tables import service_link
from titanium.console.traffic import USERS, Edge, Graph, Node
from titanium.console.widgets import badge, duration, esc, number, percent, table
from titanium.layout import GATEWAY

WIDTH = 1120
BOX = (150, 52)
COLUMNS = (8, 292, 590, 962)
ROW = 132
TOP = 26
_LOCK = "M-4 0v-2.5a4 4 0 0 1 8 0V0M-5.5 0h11v7h-11z"


@dataclass(frozen=True, slots=True)
class _Place:
    x: float
    y: float

    @property
    def left(self) -> tuple[float, float]:
        return self.x, self.y + BOX[1] / 2

    @property
    def right(self) -> tuple[float, float]:
        return self.x + BOX[0], self.y + BOX[1] / 2


def draw(graph: Graph) -> str:
    """The whole map as one SVG, described in words for those who do not see it."""
    places, height = _layout(graph)
    edges = sorted(graph.edges, key=lambda edge: (not edge.store, edge.rate or 0.0))
    drawn = [_edge(edge, places) for edge in edges]
    boxes = "".join(_node(node, places[node.name], graph) for node in graph.nodes)
    return (
        f'<div class="scroll map"><svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" '
        f'aria-label="Traffic map: {len(graph.nodes)} parts, {len(graph.edges)} connections">'
        f"<defs>{_markers()}</defs>{''.join(path for path, _ in drawn)}{boxes}"
        f"{''.join(label for _, label in drawn)}</svg></div>"
    )


def _layout(graph: Graph) -> tuple[dict[str, _Place], float]:
    columns: list[list[Node]] = [[], [], [], []]
    for node in graph.nodes:
        columns[node.column].append(node)
    tallest = max(len(column) for column in columns)
    height = TOP * 2 + BOX[1] + (tallest - 1) * ROW
    places = {}
    for number_, column in enumerate(columns):
        begin = (height - BOX[1] - (len(column) - 1) * ROW) / 2
        for row, node in enumerate(column):
            places[node.name] = _Place(COLUMNS[number_], begin + row * ROW)
    return places, height


def _edge(edge: Edge, places: dict[str, _Place]) -> tuple[str, str]:
    source, destination = places[edge.source], places[edge.destination]
    if source.x == destination.x:
        path, (x, y), anchor = _arc(source, destination)
    else:
        path, (x, y), anchor = _curve(source, destination)
    if edge.store:
        return f'<path class="edge store" d="{path}"/>', ""
    width = 1.3 + min(3.0, math.log10(1 + (edge.rate or 0.0)) * 1.2)
    line = (
        f'<path class="edge {edge.health}" d="{path}" style="stroke-width:{width:.1f}" '
        f'marker-end="url(#to-{edge.health})"><title>{esc(_words(edge))}</title></path>'
    )
    above = y < destination.left[1]
    return line, _label(edge, x, y, anchor, above) if edge.rate else ""


def _curve(source: _Place, destination: _Place) -> tuple[str, tuple[float, float], str]:
    """From right to left side; its end is flat, which is where the label finds room."""
    (x1, y1), (x2, y2) = source.right, destination.left
    x2 -= 7
    middle = (x1 + x2) / 2
    path = f"M{x1} {y1:.1f}C{middle:.1f} {y1:.1f} {middle:.1f} {y2:.1f} {x2} {y2:.1f}"
    if abs(y1 - y2) < 1:
        return path, (middle, y1 - 9), "middle"
    return path, (x2 - 4, y2 - 9 if y2 < y1 else y2 + 17), "end"


def _arc(source: _Place, destination: _Place) -> tuple[str, tuple[float, float], str]:
    """Between two boxes of a column, on their right; each way has an arc of its own."""
    down = destination.y > source.y
    far = abs(destination.y - source.y) / ROW
    shift = 11 if down else -11
    y1, y2 = source.right[1] + shift, destination.right[1] + shift
    x = source.right[0]
    bulge = 34 + 62 * far + (18 if down else 0)
    path = f"M{x} {y1:.1f}C{x + bulge:.1f} {y1:.1f} {x + bulge:.1f} {y2:.1f} {x + 7:.1f} {y2:.1f}"
    return path, (x + bulge * 0.75 + 8, (y1 + y2) / 2 + (16 if down else -8) * (far > 1)), "start"


def _label(edge: Edge, x: float, y: float, anchor: str, above: bool) -> str:
    text = f"{number(edge.rate)}/s"
    if edge.p95 is not None:
        text += f" · {duration(edge.p95)}"
    width = 6.1 * len(text) + (16 if edge.mtls is not None else 0)
    left = {"start": x, "middle": x - width / 2, "end": x - width}[anchor]
    lock = ""
    if edge.mtls is not None:
        kind = "locked" if edge.mtls >= 1 else "open"
        said = "mutual TLS" if edge.mtls >= 1 else f"mutual TLS on {percent(edge.mtls)} only"
        lock = (
            f'<g class="lock {kind}" transform="translate({left + 6:.1f} {y - 4:.1f})">'
            f'<title>{said}</title><path d="{_LOCK}"/></g>'
        )
        left += 16
    wrong = ""
    if edge.errors:
        # On the other side of a line that ends here, or below the first words.
        below = y + (26 if anchor != "start" and above else 15)
        told = f"{percent(edge.errors)} errors"
        wrong = f'<text class="wrong" x="{left:.1f}" y="{below:.1f}">{told}</text>'
    return (
        f'<g class="label {edge.health}">{lock}'
        f'<text x="{left:.1f}" y="{y:.1f}">{esc(text)}</text>{wrong}</g>'
    )


def _node(node: Node, place: _Place, graph: Graph) -> str:
    into = [edge for edge in graph.edges if edge.destination == node.name and edge.rate]
    rate = sum(edge.rate or 0.0 for edge in into)
    second = f"{number(rate)} requests/s" if into else ""
    if node.state not in ("ready", "unknown") and node.name != USERS:
        second = node.state
    if node.fault:
        second = "fault injected"
    kind = "good" if node.state == "ready" else "idle" if node.state == "stopped" else "bad"
    if node.fault:
        kind = "warn"
    if node.name == USERS or node.state == "unknown":
        kind = "plain"
    y = 23 if second else 31
    inner = (
        f'<g class="node {kind}" transform="translate({place.x} {place.y:.1f})">'
        f'<rect width="{BOX[0]}" height="{BOX[1]}" rx="8"/>'
        f'<circle cx="16" cy="{y - 4.5}" r="4"/>'
        f'<text class="name" x="28" y="{y}">{esc(node.name)}</text>'
        f'<text class="more" x="28" y="{y + 16}">{esc(second)}</text></g>'
    )
    if node.name == USERS:
        return inner
    return f'<a href="/services/{esc(node.name)}" aria-label="{esc(node.name)}">{inner}</a>'


def _markers() -> str:
    return "".join(
        f'<marker id="to-{health}" viewBox="0 0 8 8" refX="5" refY="4" markerWidth="8" '
        f'markerHeight="8" markerUnits="userSpaceOnUse" orient="auto">'
        f'<path class="head {health}" d="M0 .5L7 4L0 7.5z"/></marker>'
        for health in ("good", "warn", "bad", "idle")
    )


def _words(edge: Edge) -> str:
    told = f"{edge.source} calls {edge.destination}"
    if edge.rate is None:
        return f"{told}: nothing measured"
    return f"{told}: {number(edge.rate)}/s, {percent(edge.errors)} errors, p95 {duration(edge.p95)}"


def edge_table(graph: Graph) -> str:
    """The same in figures, busiest first."""
    rows = sorted((edge for edge in graph.edges if not edge.store), key=lambda e: -(e.rate or 0.0))
    return table(
        ("From", "To", ">Requests/s", ">Errors", ">p95", "Mutual TLS", "Declared"),
        (
            (
                esc(edge.source) if edge.source == USERS else service_link(edge.source),
                service_link(edge.destination),
                number(edge.rate),
                percent(edge.errors, 2),
                duration(edge.p95),
                _mtls(edge),
                "yes" if edge.declared else badge("undeclared"),
            )
            for edge in rows
        ),
    )


def _mtls(edge: Edge) -> str:
    if edge.destination == GATEWAY:
        return '<span class="quiet">edge</span>'
    if edge.mtls is None:
        return "–"
    if edge.mtls >= 1:
        return badge("ok", "every connection")
    return badge("bad", f"{percent(edge.mtls)} of connections")
