"""Draws a network as an SVG document. Colours follow the reader's light or dark setting."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from titanium.picture.read import TIERS, Network, Part

WIDTH = 1000
# The VPC, the column of its tiers' names, what is beside it.
VPC_LEFT, VPC_RIGHT, NAMES = 16, 800, 120
TOP, BOX, GAP = 168, 44, 12
ROW = BOX + 20
_NOTE = (
    "Drawn from a plan of terraform/environments/aws. NAT and WireGuard are in the zone where they"
    " stand, every other box is in all zones of its tier."
)
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600 } .note { fill: #59636e; font-size: 12px }
rect { rx: 6px; fill: #fff; stroke: #59636e }
.vpc { fill: none; stroke-width: 2 } .public { fill: #ddf4ff; stroke: #54aeff }
.private { fill: #dafbe1; stroke: #4ac26b } .database { fill: #fff8c5; stroke: #d4a72c }
line { stroke: #1f2328; stroke-width: 1.5 } .head { fill: #1f2328 }
.label { paint-order: stroke; stroke: #fff; stroke-width: 4px; font-size: 12px }
@media (prefers-color-scheme: dark) {
text, .head { fill: #e6edf3 } .note { fill: #9198a1 }
rect { fill: #0d1117; stroke: #9198a1 } line { stroke: #e6edf3 } .label { stroke: #0d1117 }
.public { fill: #0c2d6b } .private { fill: #04260f } .database { fill: #341a00 }
}
"""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle with a name and a smaller line below it."""

    x: float
    y: float
    width: float
    name: str
    detail: str = ""
    height: float = BOX

    @property
    def bottom(self) -> float:
        return self.y + self.height

    def lines(self) -> Iterator[str]:
        yield _rect("", self.x, self.y, self.width, self.height)
        middle = self.x + self.width / 2
        first = self.y + (18 if self.detail else self.height / 2 + 5)
        yield _text(middle, first, self.name, "title", "middle")
        if self.detail:
            yield _text(middle, self.y + 35, self.detail, "note", "middle")


def _text(x: float, y: float, words: str, style: str = "", anchor: str = "start") -> str:
    classes = f' class="{style}"' if style else ""
    return f'<text{classes} x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(words)}</text>'


def _rect(style: str, x: float, y: float, width: float, height: float) -> str:
    classes = f' class="{style}"' if style else ""
    return f'<rect{classes} x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"/>'


def _arrow(x: float, start: float, end: float, label: str) -> Iterator[str]:
    """Down from one box to another, with what is called."""
    yield f'<line x1="{x:g}" y1="{start:g}" x2="{x:g}" y2="{end - 7:g}"/>'
    yield f'<path class="head" d="M{x - 5:g} {end - 8:g}h10l-5 8z"/>'
    if label:
        yield _text(x + 6, start + 20, label, "label")


class Canvas:
    """Where everything stands."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.left = VPC_LEFT + NAMES
        self.column = (VPC_RIGHT - self.left - GAP) / max(1, len(network.zones))
        self.boxes: dict[str, Box] = {}
        self.tops: dict[str, float] = {}
        self.heights: dict[str, float] = {}
        self.bottom: float = TOP + 34
        for tier in TIERS:
            self._place(tier)

    def zone(self, zone: str) -> float:
        return self.left + self.network.zones.index(zone) * self.column

    def whole(self) -> float:
        return self.column * len(self.network.zones) - GAP

    def _place(self, tier: str) -> None:
        """A box for each part of a tier; the first of a kind is where arrows lead."""
        rows = list(self._rows([part for part in self.network.parts if part.tier == tier]))
        for number, row in enumerate(rows):
            y = self.bottom + 28 + number * ROW
            for part, x, width in row:
                key = part.key if part.key not in self.boxes else f"{part.key} {len(self.boxes)}"
                self.boxes[key] = Box(x, y, width, part.name, part.detail)
        self.tops[tier] = self.bottom
        self.heights[tier] = 30 + ROW * max(1, len(rows))
        self.bottom += self.heights[tier] + GAP

    def _rows(self, parts: list[Part]) -> Iterator[list[tuple[Part, float, float]]]:
        """Parts of a tier: those of one zone, then those of all beside each other."""
        own = [part for part in parts if part.zone is not None]
        if own:
            yield [self._in_zone(part, own) for part in own]
        wide = [part for part in parts if part.zone is None]
        below = [part for part in wide if part.key == "database" and len(wide) > 2]
        beside = [part for part in wide if part not in below]
        # The last is the widest: that is where most arrows begin and end.
        width = (self.whole() + GAP) / 3
        if len(beside) == 1:
            yield [(beside[0], self.left, self.whole())]
        elif beside:
            row, x = [], float(self.left)
            largest = max(beside, key=lambda part: part.key in ("nodes", "balancer", "database"))
            rest = width / (len(beside) - 1)
            for part in beside:
                size = width * 2 if part is largest else rest
                row.append((part, x, size - GAP))
                x += size
            yield row
        if below:
            yield [(part, self.left, width * 2 - GAP) for part in below]

    def _in_zone(self, part: Part, others: list[Part]) -> tuple[Part, float, float]:
        mine = [one for one in others if one.zone == part.zone]
        half = (self.column - GAP) / 2
        return part, self.zone(part.zone or "") + 8 + mine.index(part) * (half - 4), half - 12


def draw(network: Network) -> str:
    """A well-formed SVG document."""
    canvas = Canvas(network)
    height = canvas.bottom + 62 + 20 * len(network.ways)
    title = f"Network of {network.name}"
    said = "; ".join(f"{part.name} in {part.zone or part.tier}" for part in network.parts)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}"',
            f'width="{WIDTH}" height="{height:g}" role="img" aria-labelledby="title summary">',
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="summary">{escape(said)}</desc>',
            f"<style>{_STYLE}</style>",
            _text(VPC_LEFT, 26, title, "title"),
            _text(VPC_LEFT, 44, _NOTE, "note"),
            *_vpc(canvas),
            *(line for box in canvas.boxes.values() for line in box.lines()),
            *_outside(canvas),
            *_inside(canvas),
            *_beside(canvas),
            *_table(canvas),
            "</svg>\n",
        ]
    )


def _vpc(canvas: Canvas) -> Iterator[str]:
    network = canvas.network
    yield _rect("vpc", VPC_LEFT, TOP, VPC_RIGHT - VPC_LEFT, canvas.bottom - TOP)
    yield _text(VPC_LEFT + 12, TOP + 24, f"VPC {network.cidr}", "title")
    for zone in network.zones:
        yield _text(canvas.zone(zone) + 24, TOP + 24, zone, "note")
    for tier in TIERS:
        y, deep = canvas.tops[tier], canvas.heights[tier]
        yield _text(VPC_LEFT + 12, y + 22, tier, "title")
        yield _text(VPC_LEFT + 12, y + 42, "else through", "note")
        yield _text(VPC_LEFT + 12, y + 58, network.routes[tier], "note")
        for subnet in network.subnets:
            if subnet.tier == tier:
                x, wide = canvas.zone(subnet.zone), canvas.column - GAP
                yield _rect(tier, x, y, wide, deep)
                yield _text(x + 10, y + 18, subnet.cidr, "note")


def _outside(canvas: Canvas) -> Iterator[str]:
    """People, laptops and the office, above the VPC, and how they come in."""
    network, boxes = canvas.network, canvas.boxes
    y = 64
    if "alb" in boxes:
        alb = boxes["alb"]
        x = alb.x + alb.width / 2 + 30
        people = Box(x - 95, y, 190, "people", "Route 53, WAF, certificate")
        yield from people.lines()
        yield from _arrow(x, people.bottom, alb.y, network.ports.get("alb", ""))
    if "wireguard" in boxes and network.laptops:
        server = boxes["wireguard"]
        laptops = Box(VPC_LEFT + 120, y, 190, "laptops", network.laptops)
        port = next((way.port for way in network.ways if "WireGuard" in way.what), "")
        yield from laptops.lines()
        x = server.x + server.width / 2
        yield from _arrow(x, laptops.bottom, server.y, f"WireGuard, {port}")
    if network.office:
        office = Box(VPC_RIGHT - 200, y, 190, "office (pfSense)", network.office)
        gateway = Box(VPC_RIGHT - 200, TOP - 26, 190, "virtual private gateway", "", 32)
        yield from office.lines()
        yield from gateway.lines()
        yield from _arrow(gateway.x + 95, office.bottom, gateway.y, "IPsec, two tunnels")


def _inside(canvas: Canvas) -> Iterator[str]:
    """Who calls whom, from the rules of the security groups."""
    boxes, ports = canvas.boxes, canvas.network.ports
    nodes = boxes.get("nodes")
    if nodes is None:
        return
    if "alb" in boxes:
        x = nodes.x + nodes.width - 80
        yield from _arrow(x, boxes["alb"].bottom, nodes.y, ports.get("nodes", ""))
    for key, ports_of in (("balancer", "balancer"), ("database", "balancer"), ("cache", "cache")):
        box = boxes.get(key)
        if box is None or (key == "database" and "balancer" in boxes):
            continue
        x = max(nodes.x, box.x) + min(nodes.width, box.width) / 3
        yield from _arrow(x, nodes.bottom, box.y, ports.get(ports_of, ""))
    if "balancer" in boxes and "database" in boxes:
        box = boxes["database"]
        yield from _arrow(box.x + box.width / 2, boxes["balancer"].bottom, box.y, "")


def _beside(canvas: Canvas) -> Iterator[str]:
    x, y = VPC_RIGHT + 16, TOP
    yield _text(x, y + 24, "beside the subnets", "title")
    for number, words in enumerate(canvas.network.beside):
        yield _text(x, y + 48 + number * 20, words)


def _table(canvas: Canvas) -> Iterator[str]:
    y = canvas.bottom + 30
    yield _text(VPC_LEFT, y, "Networks that the rules let in", "title")
    for number, way in enumerate(canvas.network.ways):
        line = y + 22 + number * 20
        yield _text(VPC_LEFT, line, way.source)
        yield _text(VPC_LEFT + 130, line, way.port)
        yield _text(VPC_LEFT + 240, line, way.what, "note")
