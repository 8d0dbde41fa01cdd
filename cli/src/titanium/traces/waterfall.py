"""A trace as rows: parents above their children, each with its place on the time line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from titanium.traces.model import Span, Trace


@dataclass(frozen=True, slots=True)
class Row:
    """One span of a waterfall.

    `offset_ms` since the trace began and `duration_ms`; `shift_ms` is what was added to the
    span's own times because its clock was ahead of or behind its caller's. `self_ms` is the
    time in which none of its children ran, `critical_ms` the part of the whole trace's time
    that was spent in this span alone: shorten that, and the request gets faster. An `orphan`
    is a span whose caller's span should be here and is not.
    """

    span: Span
    depth: int
    offset_ms: float
    duration_ms: float
    shift_ms: float
    self_ms: float
    critical_ms: float
    error: bool
    orphan: bool
    children: int

    @property
    def critical(self) -> bool:
        return self.critical_ms > 0


class _Node:
    """A span with its children and its corrected times."""

    __slots__ = ("children", "critical", "end", "orphan", "span", "start")

    def __init__(self, span: Span) -> None:
        self.span = span
        self.children: list[_Node] = []
        self.start = span.start_ns
        self.end = span.end_ns
        self.critical = 0
        self.orphan = False


def waterfall(trace: Trace) -> list[Row]:
    """Rows from the top to the bottom; every span exactly once, whatever the ids say."""
    roots = _forest(trace.spans)
    ordered = _walk(roots)
    for node, _ in ordered:
        for child in node.children:
            _correct(node, child)
    for node, _ in ordered:
        node.children.sort(key=lambda child: child.start)
    ordered = _walk(sorted(roots, key=lambda root: (root.orphan, root.start)))
    if not ordered:
        return []
    begin = min(node.start for node, _ in ordered)
    _mark_critical(max(roots, key=lambda root: root.end - root.start))
    return [
        Row(
            span=node.span,
            depth=depth,
            offset_ms=(node.start - begin) / 1e6,
            duration_ms=(node.end - node.start) / 1e6,
            shift_ms=(node.start - node.span.start_ns) / 1e6,
            self_ms=_alone(node) / 1e6,
            critical_ms=node.critical / 1e6,
            error=node.span.failed,
            orphan=node.orphan,
            children=len(node.children),
        )
        for node, depth in ordered
    ]


def times_by_service(rows: Iterable[Row]) -> dict[str, float]:
    """Milliseconds of the request's time that each service took, the greatest first."""
    times: dict[str, float] = {}
    for row in rows:
        times[row.span.service] = times.get(row.span.service, 0.0) + row.critical_ms
    return dict(sorted(times.items(), key=lambda item: -item[1]))


def _forest(spans: Iterable[Span]) -> list[_Node]:
    nodes = {span.span_id: _Node(span) for span in spans}
    roots = []
    for node in nodes.values():
        parent = nodes.get(node.span.parent_id)
        if parent is None or parent is node:
            node.orphan = bool(node.span.parent_id)
            roots.append(node)
        else:
            parent.children.append(node)
    if roots and all(root.orphan for root in roots):
        # The first one's caller is outside: it sent a traceparent of its own.
        min(roots, key=lambda root: (root.start, -root.end)).orphan = False
    reached = {node.span.span_id for node, _ in _walk(roots)}
    for key, node in nodes.items():
        if key not in reached:
            # Part of a cycle: cut before it.
            parent = nodes[node.span.parent_id]
            parent.children.remove(node)
            node.orphan = True
            roots.append(node)
            reached.update(found.span.span_id for found, _ in _walk([node]))
    return roots


def _walk(roots: Iterable[_Node]) -> list[tuple[_Node, int]]:
    """Every node with its depth, parents first. Not recursive: a chain may be long."""
    found = []
    seen = set()
    waiting = [(root, 0) for root in roots][::-1]
    while waiting:
        node, depth = waiting.pop()
        if node.span.span_id in seen:
            continue
        seen.add(node.span.span_id)
        found.append((node, depth))
        waiting += [(child, depth + 1) for child in reversed(node.children)]
    return found


def _correct(parent: _Node, child: _Node) -> None:
    """Move a span of another service that seems to begin before its caller, or after its end."""
    moved = parent.start - parent.span.start_ns
    if child.span.service == parent.span.service:
        shift = moved
    elif parent.start <= child.start <= parent.end:
        shift = 0
    else:
        room = (parent.end - parent.start) - (child.end - child.start)
        shift = parent.start + max(0, room) // 2 - child.start
    child.start += shift
    child.end += shift


def _alone(node: _Node) -> int:
    """Nanoseconds of a node in which none of its children ran."""
    covered, reached = 0, node.start
    for child in node.children:
        begin, end = max(child.start, reached), min(child.end, node.end)
        if end > begin:
            covered += end - begin
            reached = end
    return node.end - node.start - covered


def _mark_critical(root: _Node) -> None:
    """Give every nanosecond of the root's time to the span that the answer waited for.

    Backwards from a span's end: the child that ended last is what it waited for, then the
    one that ended last before that child began, and so on.
    """
    waiting = [(root, root.start, root.end)]
    while waiting:
        node, begin, at = waiting.pop()
        for child in sorted(node.children, key=lambda one: -one.end):
            start, end = max(child.start, begin), min(child.end, at)
            if end <= start:
                continue
            node.critical += at - end
            waiting.append((child, start, end))
            at = start
        node.critical += max(0, at - begin)
